package vaultfile

import (
	"bytes"
	"context"
	"errors"

	"github.com/mazevault/vault-tool/internal/durable"
)

// RekeyOptions adjust [Rekey].
type RekeyOptions struct {
	WriteOptions

	// Prepare, if set, is called under the vault's lock before the new passphrase is read: the place to
	// make a new key durable.
	Prepare func() error

	// Finish, if set, is called under the lock when the vault is under the new key and durable: the
	// place to put the new key file in the old one's place. Its error is in a [RekeyedError].
	Finish func() error
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
// Rekey can be repeated: a vault that the new key opens already is left as it is (rekeyed is false
// then), so that a rotation which was interrupted anywhere is completed by running it again. Equal
// passphrases are an ErrSameKey.
//
// An error means that the vault is under the old key, unless it is a [RekeyedError].
func Rekey(ctx context.Context, path string, oldKey, newKey *Unlocker, o RekeyOptions) (rekeyed bool, err error) {
	s, err := begin(ctx, path, oldKey, o.WriteOptions, false)
	if errors.Is(err, ErrDecryption) {
		// An interrupted rotation may have left the vault under the new key.
		again, newErr := begin(ctx, path, newKey, o.WriteOptions, false)
		if newErr == nil || errors.Is(newErr, ErrLockTimeout) {
			s, err = again, newErr
		}
	}
	if err != nil {
		return false, err
	}
	defer s.end()
	if err := durable.CheckReplaceable(s.target); err != nil {
		return false, err
	}
	if o.Prepare != nil {
		if err := o.Prepare(); err != nil {
			return false, err
		}
	}
	if err := refuseSameKey(ctx, oldKey, newKey); err != nil {
		return false, err
	}
	rekeyed, err = s.rekey(ctx, oldKey, newKey)
	if err == nil && o.Finish != nil {
		if err = o.Finish(); err != nil {
			err = &RekeyedError{err}
		}
	}
	return rekeyed, err
}

// rekey leaves the vault under newKey's passphrase, whichever of the two it was under.
func (s *session) rekey(ctx context.Context, oldKey, newKey *Unlocker) (bool, error) {
	payload, id, k, err := oldKey.decrypt(ctx, s.target)
	if errors.Is(err, ErrDecryption) {
		return false, newKey.warmUp(ctx, s.target)
	}
	if err != nil {
		return false, err
	}
	defer oldKey.release(k)
	already, err := newKey.isFor(ctx, k) // oldKey may know the new passphrase as its successor
	if err != nil || already {
		payload.Destroy()
		return false, err
	}
	// Before the payload is decoded: the index of a large vault would take a piece of the memory that
	// the old key's derivation has left for this one.
	fresh, err := newKey.freshKey(ctx)
	if err != nil {
		payload.Destroy()
		return false, err
	}
	defer newKey.release(fresh)
	v, err := newVaultOf(s.target, payload, id)
	if err != nil {
		return false, err
	}
	defer v.Close()
	draft := newDraft(v)
	defer draft.close()
	oldKey.forgetCached(k)       // before, for one who is killed after the replacement
	defer oldKey.forgetCached(k) // and behind, because a reader may have cached it once more
	if err := s.replace(ctx, draft, fresh, checkIs(id)); err != nil {
		if errors.Is(err, ErrUnconfirmed) {
			err = &RekeyedError{err}
		}
		return false, err
	}
	newKey.prove(fresh)
	return true, nil
}

// isFor tells whether k was derived from u's passphrase.
func (u *Unlocker) isFor(ctx context.Context, k *derivedKey) (same bool, err error) {
	err = u.source.Passphrase(ctx, func(passphrase []byte) error {
		same = k.passphrase.Equal(passphrase)
		return nil
	})
	return same, err
}

func refuseSameKey(ctx context.Context, oldKey, newKey *Unlocker) error {
	return oldKey.source.Passphrase(ctx, func(oldPassphrase []byte) error {
		return newKey.source.Passphrase(ctx, func(newPassphrase []byte) error {
			if bytes.Equal(oldPassphrase, newPassphrase) {
				return ErrSameKey
			}
			return nil
		})
	})
}
