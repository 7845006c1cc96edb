package provider

import (
	"bytes"
	"fmt"
	"slices"

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

// reader looks secrets up in one snapshot and in the environment. Whoever uses it keeps the snapshot's memory meanwhile.
type reader struct {
	vault     *vaultfile.Vault  // nil: the environment alone
	values    map[string][]byte // of the vault, in its locked memory
	lookupEnv func(name string) (string, bool)

	references map[string]string // secrets of the vault whose text is no value
}

// isReference tells whether the secret's value is not in the vault. The environment's is not meant then either.
func (r *reader) isReference(name string) bool {
	_, is := r.references[name]
	return is
}

func (r *reader) lookup(name string) (value string, source Source) {
	if r.isReference(name) {
		return "", FromNone
	}
	if secret, ok := r.values[name]; ok {
		return string(secret), FromVault
	}
	if value, ok := r.lookupEnv(name); ok {
		return value, FromEnvironment
	}
	return "", FromNone
}

func (r *reader) use(name string, f func(secret []byte) error) error {
	if r.isReference(name) {
		return &ReferenceError{Names: []string{name}}
	}
	if secret, ok := r.values[name]; ok {
		return f(secret)
	}
	if value, ok := r.lookupEnv(name); ok {
		secret := []byte(value) // f may write to it by mistake, and a string's own memory must not change
		defer clear(secret)
		return f(secret)
	}
	return fmt.Errorf("%w: %s", ErrNotFound, printable(name))
}

func (r *reader) useCopy(name string, f func(secret []byte) error) error {
	return r.use(name, func(secret []byte) error {
		own := bytes.Clone(secret)
		defer clear(own)
		return f(own)
	})
}

// find also tells whether the value is empty.
func (r *reader) find(name string) (source Source, empty bool) {
	if r.isReference(name) {
		return FromNone, true
	}
	if secret, ok := r.values[name]; ok {
		return FromVault, len(secret) == 0
	}
	if value, ok := r.lookupEnv(name); ok {
		return FromEnvironment, value == ""
	}
	return FromNone, true
}

func (r *reader) require(names ...string) error {
	var unset, empty, references []string
	for _, name := range names {
		switch source, hollow := r.find(name); {
		case r.isReference(name):
			references = append(references, name)
		case source == FromNone:
			unset = append(unset, name)
		case hollow:
			empty = append(empty, name)
		}
	}
	switch {
	case references != nil:
		slices.Sort(references)
		return &ReferenceError{Names: references}
	case unset == nil && empty == nil:
		return nil
	}
	return &MissingError{Unset: unset, Empty: empty}
}

func (r *reader) names() []string {
	if r.vault == nil {
		return nil
	}
	return r.vault.Names()
}
