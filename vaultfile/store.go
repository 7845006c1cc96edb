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

	// IfMatch, if set, is the [ETag] that the file has to have; otherwise the error is an ErrChanged.
	IfMatch string

	// Author goes into the history with the change.
	Author Author

	// History has the bounds of the history that a new vault gets; the zero value: it gets none. A vault that exists has its own.
	History HistoryBounds
}

// Author is who makes a change, for the history. The zero value is somebody unknown, now.
type Author struct {
	Who     string    // user@host, say
	Command string    // what made the change
	Time    time.Time // zero: now
}

// Written is what [Update], [Create] or [Rekey] did.
type Written struct {
	Outcome Outcome // Created, Replaced, Updated or Unchanged
	ETag    string  // of the file as it is now; see [ETag]
	Backup  string  // Create: the path of the copy of what was replaced, behind symbolic links; "" where nothing was
	Unread  bool    // Create: what was replaced could not be opened, so that its history is in Backup alone
	History HistoryReport

	DropKeys int // keys for drops in the vault, which a rotation does not change
}

// Open reads and decrypts the vault at path. It takes no lock: a vault is replaced as a whole, never
// edited. The error names the file and wraps one of this package's, the source's, or the system's.
func Open(ctx context.Context, path string, u *Unlocker) (*Vault, error) {
	return u.open(ctx, path, false)
}

// OpenHistory is Open for a vault whose history is to be read: all of it stays in memory until Close.
func OpenHistory(ctx context.Context, path string, u *Unlocker) (*Vault, error) {
	return u.open(ctx, path, true)
}

func (u *Unlocker) open(ctx context.Context, path string, keepReserved bool) (*Vault, error) {
	payload, id, k, err := u.decrypt(ctx, path)
	if err != nil {
		return nil, err
	}
	u.release(k)
	return newVaultOf(path, payload, id, keepReserved)
}

// openVault opens a vault that is to be written, and returns the key too, for the caller to release.
func (u *Unlocker) openVault(ctx context.Context, path string) (*Vault, *derivedKey, error) {
	payload, id, k, err := u.decrypt(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	v, err := newVaultOf(path, payload, id, true)
	if err != nil {
		u.release(k)
		return nil, nil, err
	}
	return v, k, nil
}

// newVaultOf is newVault for the payload of the file at path with the given identity.
func newVaultOf(path string, payload *lockedmem.Buffer, id Identity, keepReserved bool) (*Vault, error) {
	v, err := newVault(payload, keepReserved)
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
// that happens before the lock is taken. Where the vault has a history, the change goes into it.
//
// An error means that the old vault stands (but see [ErrUnconfirmed]).
func Update(ctx context.Context, path string, u *Unlocker, o UpdateOptions, change func(*Draft) error) (Written, error) {
	s, err := begin(ctx, path, u, o.WriteOptions, o.CreateMissing)
	if err != nil {
		return Written{}, err
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

// Create makes a new vault at path with what fill puts into it. A vault that is there is an ErrExists,
// unless o.Replace is set; a file of another kind is an ErrNotVault. The old file is kept as PATH.bak, an earlier PATH.bak that differs as
// PATH.bak.1 and so on: nothing is lost. Where the key opens the old vault and finds the same content,
// nothing is written. With an error comes the zero Written.
func Create(ctx context.Context, path string, u *Unlocker, o CreateOptions, fill func(*Draft) error) (Written, error) {
	if exists, err := fileExists(path); err != nil {
		return Written{}, err
	} else if exists && !o.Replace {
		return Written{}, existsError(path) // before the key is derived
	}
	s, err := begin(ctx, path, u, o.WriteOptions, true)
	if err != nil {
		return Written{}, err
	}
	defer s.end()

	exists, err := fileExists(s.target)
	switch {
	case err != nil:
		return Written{}, err
	case !exists:
		return s.writeNew(ctx, fill)
	case !o.Replace:
		return Written{}, existsError(path)
	}
	draft := newDraft(nil)
	defer draft.close()
	if err := fill(draft); err != nil {
		return Written{}, err
	}
	return s.replaceAll(ctx, draft)
}
