package render

import (
	"os"

	"golang.org/x/sys/unix"
)

// inMemory tells whether an open directory is on a memory file system (statfs(2)).
func inMemory(dir *os.File) (bool, error) {
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

// mayChown tells whether this process has the capability to change the owner of a file (capabilities(7)).
func mayChown() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // capabilities 0 to 31 and 32 to 63
	if err := unix.Capget(&header, &data[0]); err != nil {
		return os.Geteuid() == 0
	}
	return data[0].Effective&(1<<unix.CAP_CHOWN) != 0
}
