package vaultfile

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// DefaultLockTimeout is how long a writer waits for another one.
const DefaultLockTimeout = 10 * time.Second

// newVaultMode is the mode of a vault that did not exist before.
const newVaultMode fs.FileMode = 0o600

// BackupSuffix is appended to a vault's path for the copy that [Create] keeps of what it replaces.
const BackupSuffix = ".bak"

// WriteOptions are common to all that writes a vault. The zero value is ready to use.
type WriteOptions struct {
	// LockTimeout is how long to wait for another writer; 0 means DefaultLockTimeout, less than 0 not
	// at all.
	LockTimeout time.Duration
}

// Open reads and decrypts the vault at path. It takes no lock: a vault is replaced as a whole, never
// edited. The error names the file and wraps one of this package's, the source's, or the system's.
func Open(ctx context.Context, path string, u *Unlocker) (*Vault, error) {
	v, k, err := u.openVault(ctx, path)
	u.release(k)
	return v, err
}

// openVault is Open that also returns the key, for the caller to release.
func (u *Unlocker) openVault(ctx context.Context, path string) (*Vault, *derivedKey, error) {
	payload, id, k, err := u.decrypt(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	v, err := newVaultOf(path, payload, id)
	if err != nil {
		u.release(k)
		return nil, nil, err
	}
	return v, k, nil
}

// newVaultOf is newVault for the payload of the file at path with the given identity.
func newVaultOf(path string, payload *lockedmem.Buffer, id Identity) (*Vault, error) {
	v, err := newVault(payload)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrPayload, err)
	}
	v.id = id
	return v, nil
}

// UpdateOptions adjust [Update].
type UpdateOptions struct {
	WriteOptions

	// CreateMissing makes a missing vault an empty one instead of an error.
	CreateMissing bool
}

// Update changes the vault at path: under its lock it opens the vault, calls change with a draft of
// its content, and replaces the file durably if that changed anything. An error of change is returned
// as it is, and nothing is written then. The salt stays, so an update costs one key derivation, and
// that happens before the lock is taken.
//
// An error means that the old vault stands (but see [ErrUnconfirmed]).
func Update(ctx context.Context, path string, u *Unlocker, o UpdateOptions, change func(*Draft) error) error {
	s, err := begin(ctx, path, u, o.WriteOptions, o.CreateMissing)
	if err != nil {
		return err
	}
	defer s.end()
	return s.update(ctx, o.CreateMissing, change)
}

// CreateOptions adjust [Create].
type CreateOptions struct {
	WriteOptions

	// Replace replaces a vault that is there, after keeping it under its path with BackupSuffix.
	Replace bool
}

// Creation is what [Create] did.
type Creation struct {
	Outcome Outcome // Created, Replaced or Unchanged
	Backup  string  // the path of the copy of what was replaced, behind symbolic links; "" where nothing was
}

// Create makes a new vault at path with what fill puts into it. A vault that is there is an ErrExists,
// unless o.Replace is set; a file of another kind is an ErrNotVault. The old file is kept as PATH.bak, an earlier PATH.bak that differs as
// PATH.bak.1 and so on: nothing is lost. Where the key opens the old vault and finds the same content,
// nothing is written. With an error comes the zero Creation.
func Create(ctx context.Context, path string, u *Unlocker, o CreateOptions, fill func(*Draft) error) (Creation, error) {
	if exists, err := fileExists(path); err != nil {
		return Creation{}, err
	} else if exists && !o.Replace {
		return Creation{}, existsError(path) // before the key is derived
	}
	s, err := begin(ctx, path, u, o.WriteOptions, true)
	if err != nil {
		return Creation{}, err
	}
	defer s.end()

	exists, err := fileExists(s.target)
	switch {
	case err != nil:
		return Creation{}, err
	case !exists:
		if err := s.writeNew(ctx, fill); err != nil {
			return Creation{}, err
		}
		return Creation{Outcome: Created}, nil
	case !o.Replace:
		return Creation{}, existsError(path)
	}
	draft := newDraft(nil)
	defer draft.close()
	if err := fill(draft); err != nil {
		return Creation{}, err
	}
	return s.replaceAll(ctx, draft)
}
