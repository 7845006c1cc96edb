// Package keyring opens vaults with whichever of several keys does: backups of a year are under the keys of a year.
package keyring

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mazevault/vault-tool/vaultfile"
)

// Key is one of the keys. Its unlocker stays the caller's, to be closed behind the last use of the keyring.
type Key struct {
	Name     string // for messages: the path of a key file, say
	Unlocker *vaultfile.Unlocker
}

// Keyring tries keys in turn. What one has opened is remembered by the salt of the vault, so that a key is derived once for each
// distinct pair of key and salt, and as a rule only for those that fit. It is safe for concurrent use.
type Keyring struct {
	keys []Key

	// turn holds the state. Whoever has a vault of a new salt keeps it until a key has opened that: a derivation takes all processors as
	// it is, and whoever comes next knows then which key has opened nothing yet.
	turn chan state
}

type state struct {
	opened []bool // by key: it has opened a vault
	salts  []salt
}

// salt is a salt with the key that opened a vault which has it.
type salt struct {
	of  vaultfile.Identity
	key int
}

// New returns a keyring of at least one key. The first is tried first, as long as nothing else is known.
func New(keys ...Key) *Keyring {
	r := &Keyring{keys: keys, turn: make(chan state, 1)}
	r.turn <- state{opened: make([]bool, len(keys))}
	return r
}

// Names returns the names of the keys.
func (r *Keyring) Names() []string {
	names := make([]string, len(r.keys))
	for i, k := range r.keys {
		names[i] = k.Name
	}
	return names
}

// Key returns the key of that name.
func (r *Keyring) Key(name string) Key {
	for _, k := range r.keys {
		if k.Name == name {
			return k
		}
	}
	return Key{}
}

// First returns the key that was given first.
func (r *Keyring) First() Key { return r.keys[0] }

// Open is [vaultfile.Open] with the key that fits, whose name it returns. Where none does the error wraps [vaultfile.ErrDecryption]. A key that
// cannot be read is an error, even where another one might open the vault.
func (r *Keyring) Open(ctx context.Context, path string) (v *vaultfile.Vault, key string, err error) {
	return r.open(ctx, path, vaultfile.Open)
}

// OpenHistory is [Keyring.Open] for a vault whose history is to be read.
func (r *Keyring) OpenHistory(ctx context.Context, path string) (v *vaultfile.Vault, key string, err error) {
	return r.open(ctx, path, vaultfile.OpenHistory)
}

type opener func(ctx context.Context, path string, u *vaultfile.Unlocker) (*vaultfile.Vault, error)

func (r *Keyring) open(ctx context.Context, path string, open opener) (*vaultfile.Vault, string, error) {
	if len(r.keys) == 1 { // there is nothing to choose, and its unlocker derives once for all who ask
		v, err := open(ctx, path, r.keys[0].Unlocker)
		return v, r.keys[0].Name, err
	}
	id, err := vaultfile.Identify(path)
	if err != nil {
		return nil, "", err
	}
	s, err := r.take(ctx)
	if err != nil {
		return nil, "", err
	}
	if k := s.keyFor(id); k >= 0 {
		r.turn <- s
		v, err := open(ctx, path, r.keys[k].Unlocker)
		if !errors.Is(err, vaultfile.ErrDecryption) {
			return v, r.keys[k].Name, err
		}
		if s, err = r.take(ctx); err != nil {
			return nil, "", err
		}
	}
	defer func() { r.turn <- s }()
	return r.search(ctx, path, open, &s)
}

func (r *Keyring) take(ctx context.Context) (state, error) {
	select {
	case s := <-r.turn:
		return s, nil
	case <-ctx.Done():
		return state{}, ctx.Err()
	}
}

// search tries every key: those first that have opened nothing yet, since a vault has another salt when it has another key.
func (r *Keyring) search(ctx context.Context, path string, open opener, s *state) (*vaultfile.Vault, string, error) {
	for _, k := range s.order() {
		v, err := open(ctx, path, r.keys[k].Unlocker)
		if errors.Is(err, vaultfile.ErrDecryption) {
			continue
		}
		if err == nil {
			s.note(v.Identity(), k)
		}
		return v, r.keys[k].Name, err
	}
	return nil, "", fmt.Errorf("%s: %w", path, vaultfile.ErrDecryption)
}

// keyFor is the key that opened a vault of the same salt, or -1.
func (s state) keyFor(id vaultfile.Identity) int {
	for _, known := range s.salts {
		if known.of.SameSalt(id) {
			return known.key
		}
	}
	return -1
}

func (s state) order() []int {
	order := make([]int, len(s.opened))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case s.opened[a] == s.opened[b]:
			return 0
		case s.opened[b]:
			return -1
		}
		return 1
	})
	return order
}

func (s *state) note(id vaultfile.Identity, k int) {
	s.opened[k] = true
	if s.keyFor(id) < 0 {
		s.salts = append(s.salts, salt{id, k})
	}
}
