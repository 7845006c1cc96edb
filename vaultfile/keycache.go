package vaultfile

import (
	"context"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// KeyCache keeps derived keys beyond the life of the process. It is asked only by somebody who has the
// passphrase, and must not answer to another one. All slices are valid for the length of the call; key
// has 32 bytes and is locked memory. A cache that cannot do what it is asked does nothing.
type KeyCache interface {
	// Load copies the key for salt and passphrase to key and tells whether it had one.
	Load(key, passphrase, salt []byte) bool

	// Store keeps a key that has opened a vault.
	Store(key, passphrase, salt []byte)

	// Forget drops the key for a salt that no vault has any more.
	Forget(salt []byte)
}

// UnlockerOption adjusts [NewUnlocker].
type UnlockerOption func(*Unlocker)

// WithKeyCache makes the unlocker look in c before it derives a key, and store there what has opened a
// vault.
func WithKeyCache(c KeyCache) UnlockerOption { return func(u *Unlocker) { u.cache = c } }

// obtain takes the key from the cache, or derives it.
func (u *Unlocker) obtain(ctx context.Context, salt [saltBytes]byte, passphrase []byte) (*derivedKey, error) {
	k, err := u.fromCache(salt, passphrase)
	if k != nil || err != nil {
		return k, err
	}
	return u.derive(ctx, salt, passphrase)
}

// fromCache returns the key that the cache has, or nil.
func (u *Unlocker) fromCache(salt [saltBytes]byte, passphrase []byte) (*derivedKey, error) {
	if u.cache == nil {
		return nil, nil
	}
	key, err := lockedmem.New(int(kdfParams.KeyBytes))
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	if !u.cache.Load(key.Bytes(), passphrase, salt[:]) {
		return nil, nil
	}
	k, err := newDerivedKey(salt, passphrase, key.Bytes())
	if err != nil {
		return nil, err
	}
	k.cached = true
	return k, nil
}

// store puts a key that has opened a vault, or was written with, into the cache.
func (u *Unlocker) store(k *derivedKey) {
	u.mu.Lock()
	skip := u.cache == nil || k.cached
	k.cached = true
	u.mu.Unlock()
	if skip {
		return
	}
	_ = k.key.Use(func(key []byte) error { // without memory for it the key is not cached
		return k.passphrase.Use(func(passphrase []byte) error {
			u.cache.Store(key, passphrase, k.salt[:])
			return nil
		})
	})
}

// forgetCached drops a key from the cache after a rotation.
func (u *Unlocker) forgetCached(k *derivedKey) {
	if u.cache != nil {
		u.cache.Forget(k.salt[:])
	}
}
