//go:build unix

package editing

import (
	"os"

	"golang.org/x/sys/unix"
)

const openNoFollow = unix.O_NOFOLLOW

// holdDirectory locks a directory until it is closed. It fails for one that another process holds.
func holdDirectory(path string) (*os.File, error) {
	dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = dir.Close() // opened for reading only
		return nil, &os.PathError{Op: "flock", Path: path, Err: err}
	}
	return dir, nil
}
