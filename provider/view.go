package provider

import (
	"bytes"
	"fmt"

	"github.com/mazevault/vault-tool/internal/redact"
	"github.com/mazevault/vault-tool/vaultfile"
)

// Source says where a secret was found.
type Source int

// The sources, in the order they are asked.
const (
	FromNone        Source = iota // nowhere
	FromVault                     // in the vault
	FromEnvironment               // in the environment, which a .env file may have filled
)

// String returns "none", "vault" or "environment".
func (s Source) String() string {
	switch s {
	case FromVault:
		return "vault"
	case FromEnvironment:
		return "environment"
	}
	return "none"
}

// MarshalText implements encoding.TextMarshaler with String's words.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// View is one snapshot of the secrets: what is read through it belongs together, whatever is reloaded
// meanwhile. It is valid inside the callback of [Provider.View] and must not be kept; used afterwards by
// the same goroutine it gives [ErrClosed]. The environment is not part of the snapshot.
type View struct {
	redact.Value
	vault     *vaultfile.Vault  // nil: the environment alone
	values    map[string][]byte // of the vault, in its locked memory
	lookupEnv func(name string) (string, bool)
	ended     bool
}

// Get is [Provider.Get] in this snapshot.
func (v *View) Get(name string) string {
	value, _, _ := v.Lookup(name) // a closed view has no values
	return value
}

// Lookup is [Provider.Lookup] in this snapshot.
func (v *View) Lookup(name string) (value string, source Source, err error) {
	if v.ended {
		return "", FromNone, ErrClosed
	}
	if secret, ok := v.values[name]; ok {
		return string(secret), FromVault, nil
	}
	if value, ok := v.lookupEnv(name); ok {
		return value, FromEnvironment, nil
	}
	return "", FromNone, nil
}

// Use is [Provider.Use] in this snapshot.
func (v *View) Use(name string, f func(secret []byte) error) error {
	if v.ended {
		return ErrClosed
	}
	if secret, ok := v.values[name]; ok {
		return f(secret)
	}
	if value, ok := v.lookupEnv(name); ok {
		secret := []byte(value) // f may write to it by mistake, and a string's own memory must not change
		defer clear(secret)
		return f(secret)
	}
	return fmt.Errorf("%w: %s", ErrNotFound, printable(name))
}

// UseCopy is [Provider.UseCopy] in this snapshot.
func (v *View) UseCopy(name string, f func(secret []byte) error) error {
	return v.Use(name, func(secret []byte) error {
		own := bytes.Clone(secret)
		defer clear(own)
		return f(own)
	})
}

// SourceOf is [Provider.SourceOf] in this snapshot.
func (v *View) SourceOf(name string) (Source, error) {
	source, _, err := v.find(name)
	return source, err
}

// find also tells whether the value is empty.
func (v *View) find(name string) (source Source, empty bool, err error) {
	if v.ended {
		return FromNone, true, ErrClosed
	}
	if secret, ok := v.values[name]; ok {
		return FromVault, len(secret) == 0, nil
	}
	if value, ok := v.lookupEnv(name); ok {
		return FromEnvironment, value == "", nil
	}
	return FromNone, true, nil
}

// Require is [Provider.Require] in this snapshot.
func (v *View) Require(names ...string) error {
	var unset, empty []string
	for _, name := range names {
		source, hollow, err := v.find(name)
		switch {
		case err != nil:
			return err
		case source == FromNone:
			unset = append(unset, name)
		case hollow:
			empty = append(empty, name)
		}
	}
	if unset == nil && empty == nil {
		return nil
	}
	return &MissingError{Unset: unset, Empty: empty}
}

// Names is [Provider.Names] in this snapshot.
func (v *View) Names() []string {
	if v.ended || v.vault == nil {
		return nil
	}
	return v.vault.Names()
}
