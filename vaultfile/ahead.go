package vaultfile

import (
	"bytes"
	"context"
	"errors"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/kdf"
)

// deriveAhead derives the two keys of a rotation side by side: the one of the vault as it is, which oldKey then remembers, and a
// fresh one, which is returned. It returns nil where one of them cannot be had now, or need not be derived: whoever asks for it next
// derives it, or is told why that cannot be.
func deriveAhead(ctx context.Context, path string, oldKey, newKey *Unlocker) (fresh *derivedKey, same bool) {
	id, err := Identify(path)
	if err != nil {
		return nil, false
	}
	_ = oldKey.source.Passphrase(ctx, func(old []byte) error {
		return newKey.source.Passphrase(ctx, func(passphrase []byte) error {
			same = bytes.Equal(old, passphrase)
			fresh = deriveBoth(ctx, oldKey, id.salt, old, newKey, passphrase)
			return nil
		})
	})
	return fresh, same
}

func deriveBoth(ctx context.Context, oldKey *Unlocker, oldSalt [saltBytes]byte, old []byte, newKey *Unlocker, passphrase []byte) *derivedKey {
	if len(old) == 0 || len(passphrase) == 0 {
		return nil
	}
	a, err := oldKey.start(oldSalt, old)
	if a == nil || err != nil {
		return nil
	}
	if k, _ := oldKey.fromCache(oldSalt, old); k != nil { // then there is one to derive only
		if k, err = oldKey.finish(a, k, nil); err == nil {
			oldKey.release(k)
		}
		return nil
	}
	b, err := newKey.start(newSalt(), passphrase)
	if b == nil || err != nil {
		_, _ = oldKey.finish(a, nil, errNotDerived)
		return nil
	}
	oldDerived, newDerived, err := newKey.deriveTwo(ctx, a.salt, old, b.salt, passphrase)
	if err != nil {
		_, _ = oldKey.finish(a, nil, err)
		_, _ = newKey.finish(b, nil, err)
		return nil
	}
	if k, err := oldKey.finish(a, oldDerived, nil); err == nil {
		oldKey.release(k)
	}
	fresh, err := newKey.finish(b, newDerived, nil)
	if err != nil {
		return nil
	}
	return fresh
}

var errNotDerived = errors.New("vault: not derived")

// start begins a derivation of the caller's, or returns nil where the key is there, or somebody derives it.
func (u *Unlocker) start(salt [saltBytes]byte, passphrase []byte) (*derivation, error) {
	k, _, own, err := u.find(salt, passphrase)
	if k != nil {
		u.release(k)
	}
	return own, err
}

// deriveTwo derives two keys at once.
func (u *Unlocker) deriveTwo(ctx context.Context, saltA [saltBytes]byte, a []byte, saltB [saltBytes]byte, b []byte) (keyA, keyB *derivedKey, err error) {
	var raw [2]*lockedmem.Buffer
	for i := range raw {
		if raw[i], err = lockedmem.New(int(kdfParams.KeyBytes)); err != nil {
			return nil, nil, err
		}
		defer raw[i].Destroy()
	}
	err = u.deriver.DeriveBoth(ctx, kdfParams,
		kdf.Job{Dst: raw[0].Bytes(), Passphrase: a, Salt: saltA[:]}, kdf.Job{Dst: raw[1].Bytes(), Passphrase: b, Salt: saltB[:]})
	if err != nil {
		return nil, nil, err
	}
	if keyA, err = newDerivedKey(saltA, a, raw[0].Bytes()); err != nil {
		return nil, nil, err
	}
	if keyB, err = newDerivedKey(saltB, b, raw[1].Bytes()); err != nil {
		keyA.destroy()
		return nil, nil, err
	}
	return keyA, keyB, nil
}
