//go:build unix

package descriptor

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// nonblock keeps the opening of a named pipe from waiting for a writer.
const nonblock = syscall.O_NONBLOCK

func duplicate(fd int, name string) (*os.File, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if fd > 2 {
		unix.CloseOnExec(fd)
	}
	return os.NewFile(uintptr(dup), name), nil
}

// closeInPrograms is Hide or, with the standard descriptors as well, Withhold.
func closeInPrograms(path string, standard bool) error {
	var key unix.Stat_t
	var err error
	fd, named := number(path)
	if named {
		err = unix.Fstat(fd, &key)
	} else {
		err = unix.Stat(path, &key)
	}
	if err != nil {
		return nil // what is there no more is open nowhere under that name
	}
	if kind := key.Mode & unix.S_IFMT; kind == unix.S_IFCHR || kind == unix.S_IFBLK {
		if standard && named && fd == 0 {
			return replace(0)
		}
		return nil
	}
	for open := range mostDescriptors {
		var is unix.Stat_t
		switch err := unix.Fstat(open, &is); {
		case err != nil || is.Dev != key.Dev || is.Ino != key.Ino:
		case open > 2:
			unix.CloseOnExec(open)
		case standard:
			if err := replace(open); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostDescriptors is more than a shell or a service manager hands on. The system lists those that are open to nobody who is neither root
// nor dumpable.
const mostDescriptors = 4096

// replace puts the null device in the place of a descriptor.
func replace(fd int) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = null.Close() }() // the duplicate stays
	return unix.Dup2(int(null.Fd()), fd)
}
