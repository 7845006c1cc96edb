package vaultfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// RekeyOptions adjust [Rekey].
type RekeyOptions struct {
	WriteOptions

	// Prepare, if set, is called under the vault's lock: the place to make a new key durable. The new passphrase is read
	// behind it, and before as well: a source that has it already saves time, one that has not may fail then. Without
	// Prepare both passphrases are read before the lock is taken, so that a source that takes its time keeps no other writer waiting.
	Prepare func() error

	// Finish, if set, is called under the lock when the vault is under the new key and durable: the
	// place to put the new key file in the old one's place. Its error is in a [RekeyedError].
	Finish func() error

	// DropHistory leaves the earlier values of all secrets out. Where the vault has a history, it begins anew.
	DropHistory bool
}

// RekeyedError is an error from behind the point of no return: the vault is under the new key.
type RekeyedError struct{ Err error }

func (e *RekeyedError) Error() string { return e.Err.Error() }

// Unwrap returns what failed.
func (e *RekeyedError) Unwrap() error { return e.Err }

// Rekey re-encrypts the vault at path from the key of oldKey to that of newKey, with a fresh salt. The
// content does not change. The re-encrypted vault is opened with the new key before it replaces the
// old one.
//
// Rekey can be repeated: a vault that the new key opens already is left as it is (the outcome is Unchanged
// then), so that a rotation which was interrupted anywhere is completed by running it again. Equal
// passphrases are an ErrSameKey, unless the vault is under neither but under the successor of oldKey.
//
// An error means that the vault is under the old key, unless it is a [RekeyedError].
func Rekey(ctx context.Context, path string, oldKey, newKey *Unlocker, o RekeyOptions) (w Written, err error) {
	target, err := durable.Resolve(path)
	if err != nil {
		return Written{}, err
	}
	fresh, same := deriveAhead(ctx, path, oldKey, newKey)
	defer func() { newKey.release(fresh) }()
	err = oldKey.warmUp(ctx, path)
	// An interrupted rotation may have left the vault under the new key.
	if err != nil && !(errors.Is(err, ErrDecryption) && newKey.warmUp(ctx, path) == nil) {
		return Written{}, err
	}
	if o.Prepare == nil && fresh == nil {
		if fresh, same, err = newKey.freshKeyBeside(ctx, oldKey); err != nil {
			return Written{}, err
		}
	}
	s, err := hold(ctx, target, oldKey, o.WriteOptions)
	if err != nil {
		return Written{}, err
	}
	defer s.end()
	if err := durable.CheckReplaceable(s.target); err != nil {
		return Written{}, err
	}
	if o.Prepare != nil {
		if err := o.Prepare(); err != nil {
			return Written{}, err
		}
		if fresh, same, err = newKey.stillFresh(ctx, oldKey, fresh, same); err != nil {
			return Written{}, err
		}
	}
	w, err = s.rekey(ctx, newKey, fresh, same, o.DropHistory)
	if err == nil && o.Finish != nil {
		if err = o.Finish(); err != nil {
			err = &RekeyedError{err}
		}
	}
	return w, err
}

// rekey leaves the vault under fresh, a key of newKey's passphrase, or finds it under that passphrase already, which is an
// ErrSameKey where that is the old key's too.
func (s *session) rekey(ctx context.Context, newKey *Unlocker, fresh *derivedKey, same, dropHistory bool) (Written, error) {
	oldKey := s.u
	payload, id, k, err := oldKey.decrypt(ctx, s.target)
	if errors.Is(err, ErrDecryption) {
		if err := s.checkUnder(ctx, newKey, fresh); err != nil {
			return Written{}, err
		}
		return s.unchanged()
	}
	if err != nil {
		return Written{}, err
	}
	defer oldKey.release(k)
	already, err := k.samePassphrase(fresh) // oldKey may know the new passphrase as its successor
	if err == nil && already && same {
		err = ErrSameKey
	}
	if err != nil || already {
		payload.Destroy()
		if err != nil {
			return Written{}, err
		}
		return s.unchanged()
	}
	v, err := newVaultOf(s.target, payload, id, true)
	if err != nil {
		return Written{}, err
	}
	defer v.Close()
	if err := s.checkMatched(id); err != nil {
		return Written{}, err
	}
	dropKeys := v.countDropKeys()
	draft := newDraft(v)
	defer draft.close()
	if dropHistory {
		draft.past.drop = true
		if _, err := draft.recordHistory(s.options); err != nil {
			return Written{}, err
		}
	}
	oldKey.forgetCached(k)       // before, for one who is killed after the replacement
	defer oldKey.forgetCached(k) // and behind, because a reader may have cached it once more
	etag, err := s.replace(ctx, draft, fresh, checkIs(id))
	if err != nil {
		if durable.InPlace(err) {
			err = &RekeyedError{err}
		}
		return Written{}, err
	}
	newKey.prove(fresh)
	return Written{Outcome: Updated, ETag: etag, DropKeys: dropKeys}, nil
}

// countDropKeys is the number of keys for drops.
func (v *Vault) countDropKeys() int {
	n := 0
	for _, name := range v.Reserved() {
		if _, ok := reserved.IsDrop(string(name)); ok {
			n++
		}
	}
	return n
}

// unchanged is what an operation returns that found nothing to do.
func (s *session) unchanged() (Written, error) {
	etag, err := ETag(s.target)
	return Written{Outcome: Unchanged, ETag: etag}, err
}

// checkUnder returns nil if the vault is under the passphrase of fresh. A key that newKey remembers from before the
// lock may be of another one.
func (s *session) checkUnder(ctx context.Context, newKey *Unlocker, fresh *derivedKey) error {
	payload, _, k, err := newKey.decrypt(ctx, s.target)
	if err != nil {
		return err
	}
	payload.Destroy()
	defer newKey.release(k)
	same, err := k.samePassphrase(fresh)
	if err == nil && !same {
		err = fmt.Errorf("%s: %w", s.target, ErrChanged)
	}
	return err
}

func (k *derivedKey) samePassphrase(other *derivedKey) (same bool, err error) {
	err = k.passphrase.Use(func(passphrase []byte) error {
		same = other.passphrase.Equal(passphrase)
		return nil
	})
	return same, err
}

// freshKeyBeside is freshKey that asks both sources, and tells whether they have the same passphrase. That is a mistake only where
// it opens the vault: in a store of keys the vault may still be under the version from before.
func (u *Unlocker) freshKeyBeside(ctx context.Context, oldKey *Unlocker) (fresh *derivedKey, same bool, err error) {
	err = oldKey.source.Passphrase(ctx, func(oldPassphrase []byte) error {
		return u.source.Passphrase(ctx, func(passphrase []byte) (err error) {
			same = bytes.Equal(oldPassphrase, passphrase)
			fresh, err = u.acquire(ctx, newSalt(), passphrase)
			return err
		})
	})
	return fresh, same, err
}

// stillFresh returns the fresh key that was derived before Prepare, or derives one, because there was none or the source has another
// passphrase now.
func (u *Unlocker) stillFresh(ctx context.Context, oldKey *Unlocker, fresh *derivedKey, same bool) (*derivedKey, bool, error) {
	if fresh != nil {
		is := false
		err := u.source.Passphrase(ctx, func(passphrase []byte) error {
			is = fresh.passphrase.Equal(passphrase)
			return nil
		})
		if err != nil || is {
			return fresh, same, err
		}
		u.release(fresh)
	}
	return u.freshKeyBeside(ctx, oldKey)
}
