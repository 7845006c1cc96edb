package keysource

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

// PermissiveError is the detail of an [ErrPermissive].
type PermissiveError struct {
	Path  string
	Mode  fs.FileMode // permission bits only
	Owner string      // "uid 1000", "" where files have no uid
}

func (e *PermissiveError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("%v: %s has mode %04o", ErrPermissive, e.Path, e.Mode)
	}
	return fmt.Sprintf("%v: %s has mode %04o and belongs to %s", ErrPermissive, e.Path, e.Mode, e.Owner)
}

// Unwrap makes the error match [ErrPermissive].
func (e *PermissiveError) Unwrap() error { return ErrPermissive }

// othersMask are the permissions that nobody but a key file's owner may have.
const othersMask fs.FileMode = 0o077

// checkMode refuses an open key file that somebody else than its owner can touch.
//
// systemd gives a service its credentials in files of root's that an access control list opens to the service's
// user alone; the group bits then show the mask of the list, and not what the group may do. Such a
// file is accepted.
func checkMode(f *os.File, path string, info fs.FileInfo) error {
	mode := info.Mode()
	switch {
	case mode.IsDir():
		return fmt.Errorf("%w: %s is a directory", ErrStat, path)
	case runtime.GOOS == "windows":
		return nil // permission bits mean nothing there
	case mode&fs.ModeSocket != 0:
		return nil // nor on a socket, which only its holder can have opened; some programs start others with one as stdin
	case mode.Perm()&othersMask == 0:
		return nil
	case mode.Perm()&0o007 == 0 && readableByCallerOnly(f):
		return nil
	}
	e := &PermissiveError{Path: path, Mode: mode.Perm()}
	if uid, ok := ownerOf(info); ok {
		e.Owner = fmt.Sprintf("uid %d", uid)
	}
	return e
}
