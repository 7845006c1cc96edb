package durable

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

const (
	openNonblock = 0

	// enforcesMode is false: of the permission bits Windows knows the read-only one.
	enforcesMode = false
)

// tryLockFile locks one byte far behind the end of the file: Windows enforces a lock against readers of the locked
// range, and the temporary file is read again before it is put in place.
func tryLockFile(f *os.File, exclusive bool) (bool, error) {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if exclusive {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	at := windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// flushDirectory does nothing: Windows offers no sync of a directory to an ordinary process.
func flushDirectory(*directory) error { return nil }

func ownerOf(fs.FileInfo) (uid, gid int, ok bool) { return 0, 0, false }

func isLinked(fs.FileInfo) bool { return true }
