package vaultfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/mazevault/vault-tool/internal/durable"
)

// Restored is what [Restore] did.
type Restored struct {
	Written         // Outcome is Created, Replaced or Unchanged
	Secrets     int // in the vault as it is now
	ReEncrypted bool
}

// Restore puts the vault file at from, a backup, in the place of the vault at path, with its history. It takes the lock of that vault, keeps
// the vault that is there as PATH.bak as [Create] does, and opens and compares what it has written before it counts. A vault that holds
// the same already stays as it is, so that a run that was interrupted can be repeated.
//
// fromKey opens from, and u is for the vault at path. Where they are one the vault becomes a copy of the file, whether u opens
// what is there or not. Otherwise it is encrypted anew for u, which has to open the vault that is there, if there is one: nobody else
// knows that it is the right key.
//
// The new file has the owner of the old one, and mode 0600 where others could do anything with that. An error means that the old vault
// stands (but see [ErrUnconfirmed]).
func Restore(ctx context.Context, path string, u *Unlocker, from string, fromKey *Unlocker, o WriteOptions) (Restored, error) {
	source, err := fromKey.readWhole(ctx, from)
	if err != nil {
		return Restored{}, err
	}
	defer source.close(fromKey)
	target, err := durable.Resolve(path)
	if err != nil {
		return Restored{}, err
	}
	ahead, err := u.openAhead(ctx, target)
	if err != nil && !mayBeRestored(err, u == fromKey) {
		return Restored{}, err
	}
	var fresh *derivedKey
	if errors.Is(err, ErrNotExist) && u != fromKey {
		if fresh, err = u.freshKey(ctx); err != nil {
			return Restored{}, err
		}
	}
	s, err := hold(ctx, target, u, o)
	if err != nil {
		u.release(fresh)
		ahead.discard(u)
		return Restored{}, err
	}
	s.ahead, s.fresh = ahead, fresh
	defer s.end()
	return s.restore(ctx, source, u != fromKey, s.suffixBeside(from))
}

// mayBeRestored tells whether err, of opening the vault that is to be replaced, leaves something to do.
func mayBeRestored(err error, oneKey bool) bool {
	return errors.Is(err, ErrNotExist) || oneKey && canReplace(err)
}

// suffixBeside is that of the copy which is kept of the vault. PATH.bak itself is no place for it when that is what is restored: it would move,
// and a run that was interrupted could not be repeated.
func (s *session) suffixBeside(from string) string {
	source, err := os.Stat(from)
	if err == nil {
		if bak, err := os.Stat(s.target + BackupSuffix); err == nil && os.SameFile(source, bak) {
			return BackupSuffix + ".1"
		}
	}
	return BackupSuffix
}

func (s *session) restore(ctx context.Context, source *whole, encrypt bool, suffix string) (Restored, error) {
	r := Restored{Secrets: source.secrets}
	present, check, err := s.present(ctx)
	if err != nil && !mayBeRestored(err, !encrypt) {
		return Restored{}, err
	}
	exists := !errors.Is(err, ErrNotExist)
	r.Unread = exists && err != nil
	defer present.discard(s.u)
	if present != nil {
		if err := s.checkMatched(present.id); err != nil {
			return Restored{}, err
		}
		if bytes.Equal(present.payload.Bytes(), source.payload.Bytes()) {
			r.Written, err = s.unchanged()
			return r, err
		}
	}
	file, key := source.file, source.key
	if encrypt {
		if file, key, err = s.encryptFor(ctx, present, source); err != nil {
			return Restored{}, err
		}
		defer s.u.release(key)
		r.ReEncrypted = true
	}
	if err := ctx.Err(); err != nil {
		return Restored{}, err
	}
	r.ETag = etagOf(file)
	verify := verifySealed(key, source.payload.Bytes())
	if !exists {
		r.Outcome = Created
		err = durable.Create(s.target, file, durable.CreateOptions{Mode: newVaultMode, Verify: verify})
		return r, err
	}
	r.Outcome = Replaced
	mode, err := restoredMode(s.target)
	if err != nil {
		return Restored{}, err
	}
	if r.Backup, err = s.keep(suffix); err != nil {
		return Restored{}, err
	}
	err = durable.Replace(s.target, file, durable.ReplaceOptions{Verify: verify, Check: check, Mode: mode, Swept: true})
	return r, err
}

// present is the vault that is to be replaced, as it was read ahead if it is still there, with a check that it is the one that goes.
func (s *session) present(ctx context.Context) (*opened, func(*os.File) error, error) {
	ahead := s.ahead
	s.ahead = nil
	_ = durable.Sweep(s.target + BackupSuffix) // as in hold
	_ = durable.Sweep(s.target + BackupSuffix + ".1")
	check, err := checkUntouched(s.target)
	if errors.Is(err, os.ErrNotExist) {
		ahead.discard(s.u)
		return nil, nil, notExistError{s.target}
	}
	if err != nil {
		ahead.discard(s.u)
		return nil, nil, err
	}
	if id, err := Identify(s.target); ahead != nil && (err != nil || id != ahead.id) {
		ahead.discard(s.u)
		ahead = nil
	}
	if ahead == nil {
		ahead, err = s.u.openAhead(ctx, s.target)
	}
	return ahead, check, err
}

// encryptFor encrypts the content of a backup for the vault that is there, or for a new one.
func (s *session) encryptFor(ctx context.Context, present *opened, source *whole) (file []byte, key *derivedKey, err error) {
	if present != nil {
		key, present.key = present.key, nil
	} else if key, err = s.freshKey(ctx); err != nil {
		return nil, nil, err
	}
	if file, err = seal(key, source.payload.Bytes()); err != nil {
		s.u.release(key)
		return nil, nil, err
	}
	return file, key, nil
}

// restoredMode is the mode for a vault in the place of the file at path: that one's, but nothing for others.
func restoredMode(path string) (os.FileMode, error) {
	const others = os.FileMode(0o007)
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("look at the vault: %w", err)
	}
	if info.Mode()&others != 0 {
		return newVaultMode, nil
	}
	return info.Mode().Perm(), nil
}
