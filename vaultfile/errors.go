package vaultfile

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/mazevault/vault-tool/internal/durable"
)

// Errors to branch on with errors.Is. What a function returns wraps them and names the file.
var (
	// ErrNotExist: there is no vault at the path. It also matches fs.ErrNotExist.
	ErrNotExist = errors.New("vault: no vault file")

	// ErrTooSmall: the file is shorter than the smallest vault (48 bytes): empty or truncated.
	ErrTooSmall = errors.New("vault: file too small to be a valid vault")

	// ErrFileTooLarge: the file is larger than a vault can be.
	ErrFileTooLarge = errors.New("vault: file too large to be a valid vault")

	// ErrTooLarge: a value or the whole content to be written is beyond its limit.
	ErrTooLarge = errors.New("vault: too large")

	// ErrNotVault: the file does not begin with the MVT1 magic.
	ErrNotVault = errors.New("vault: not an MVT1 vault")

	// ErrDecryption: the passphrase is wrong or the file is damaged; GCM cannot tell which.
	ErrDecryption = errors.New("vault: decryption failed")

	// ErrPayload: the vault was decrypted, but its content breaks the rules of the format.
	// A [PayloadError] tells which.
	ErrPayload = errors.New("vault: invalid payload")

	// ErrNotFound: the vault holds no secret of that name.
	ErrNotFound = errors.New("vault: secret not found")

	// ErrNoHistory: the vault keeps no history.
	ErrNoHistory = errors.New("vault: no history is kept")

	// ErrExists: there is a vault already, or a secret of that name.
	ErrExists = errors.New("vault: exists already")

	// ErrBadName: a name outside the rules of [ValidateName].
	ErrBadName = errors.New("vault: invalid secret name")

	// ErrBadValue: a value that is no UTF-8.
	ErrBadValue = errors.New("vault: value is not valid UTF-8")

	// ErrSameKey: a rotation to the passphrase the vault already has.
	ErrSameKey = errors.New("vault: the new key is the same as the old one")

	// ErrVerify: what was written does not read back equal. The vault has not been replaced.
	ErrVerify = errors.New("vault: the written file does not read back equal")

	// ErrForeignOwner: another user's lock file stands where every user may make files, and would keep writers waiting for ever.
	ErrForeignOwner = durable.ErrForeignOwner

	// ErrLockTimeout: another writer held the vault's lock for the whole time.
	ErrLockTimeout = durable.ErrLockTimeout

	// ErrMountPoint: the vault is a mount point itself (a bind mount), so it cannot be replaced.
	ErrMountPoint = durable.ErrMountPoint

	// ErrNotRegular: the path is a directory, a pipe or a device.
	ErrNotRegular = durable.ErrNotRegular

	// ErrAttributes: owner, group, mode or extended attributes of the vault could not be kept.
	ErrAttributes = durable.ErrAttributes

	// ErrChanged: a writer that does not take the lock replaced the vault meanwhile; its file stands.
	ErrChanged = durable.ErrChanged

	// ErrUnconfirmed: the directory could not be synced, so after a power cut the vault may be the old one or the new one,
	// whole. Until then it is the new one, unless the error matches ErrRestored too.
	ErrUnconfirmed = durable.ErrUnconfirmed

	// ErrRestored: an ErrUnconfirmed where the old vault was put back.
	ErrRestored = durable.ErrRestored

	// ErrClosed: the vault or the unlocker has been closed.
	ErrClosed = errors.New("vault: closed")
)

// notExistError is an ErrNotExist that names the path once.
type notExistError struct{ path string }

func (e notExistError) Error() string { return fmt.Sprintf("%v: %s", ErrNotExist, e.path) }

// Is makes the error match ErrNotExist and fs.ErrNotExist.
func (e notExistError) Is(target error) bool {
	return target == ErrNotExist || target == fs.ErrNotExist
}

// Reason says which rule a payload breaks.
type Reason string

// The reasons, in the words of docs/format.md.
const (
	ReasonNoPayload     Reason = "no payload"
	ReasonNotObject     Reason = "not an object"
	ReasonTruncated     Reason = "truncated"
	ReasonTrailingData  Reason = "trailing data"
	ReasonSyntax        Reason = "not valid JSON"
	ReasonInvalidUTF8   Reason = "invalid UTF-8"
	ReasonBadName       Reason = "bad name"
	ReasonDuplicateName Reason = "duplicate name"
	ReasonNotString     Reason = "value is not a string"
	ReasonLongValue     Reason = "value is too long"
)

// PayloadError is the detail of an [ErrPayload]: what is wrong, where, and by which name. It never
// holds a value.
type PayloadError struct {
	Reason Reason
	Line   int    // from 1; lines end with "\n"
	Column int    // from 1, in bytes
	Name   string // the secret concerned, "" where none is known
}

func (e *PayloadError) Error() string {
	if e.Name != "" {
		return fmt.Sprintf("%s at line %d, column %d (name %q)", e.Reason, e.Line, e.Column, e.Name)
	}
	return fmt.Sprintf("%s at line %d, column %d", e.Reason, e.Line, e.Column)
}

// Is makes every PayloadError match [ErrPayload].
func (e *PayloadError) Is(target error) bool { return target == ErrPayload }
