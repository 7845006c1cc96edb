package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// isMountPoint asks the kernel (5.8 and later) whether a mount stands on this very entry. Where it does not say, the
// rename fails with EBUSY instead, which leaves the file as it was all the same.
func isMountPoint(d *directory, name string) bool {
	const flags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT | unix.AT_STATX_DONT_SYNC
	var stat unix.Statx_t
	err := ignoringEINTR(func() error { return unix.Statx(int(d.file.Fd()), name, flags, 0, &stat) })
	return err == nil && stat.Attributes_mask&stat.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// hasWriters asks for a read lease, which the kernel refuses with EAGAIN while the file is open for writing (fcntl(2),
// F_SETLEASE), and gives it back. Every other error means that it does not tell.
func hasWriters(f *os.File) bool {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK) // which the close of the file does as well
	}
	return errors.Is(err, unix.EAGAIN)
}

func renameExchange(d *directory, a, b string) error {
	return renameAt2(d, a, b, unix.RENAME_EXCHANGE)
}

func renameNoReplace(d *directory, from, to string) error {
	return renameAt2(d, from, to, unix.RENAME_NOREPLACE)
}

func renameAt2(d *directory, from, to string, flags uint) error {
	fd := int(d.file.Fd())
	return ignoringEINTR(func() error { return unix.Renameat2(fd, from, fd, to, flags) })
}
