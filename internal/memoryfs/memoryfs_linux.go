// Package memoryfs tells file systems in memory from those on disks.
package memoryfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// Holds tells whether an open directory is on a memory file system (statfs(2)).
func Holds(dir *os.File) (bool, error) {
	var stat unix.Statfs_t
	if err := unix.Fstatfs(int(dir.Fd()), &stat); err != nil {
		return false, &os.PathError{Op: "statfs", Path: dir.Name(), Err: err}
	}
	switch uint32(stat.Type) { // the type's width and sign differ between architectures
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		return true, nil
	}
	return false, nil
}
