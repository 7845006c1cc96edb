package pendinginput

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Waiting tells whether bytes are ready on f, the standard input, that were meant for this process alone. It
// does not wait and consumes nothing, so what a slow writer sends later is missed.
func Waiting(f *os.File) bool {
	var stat unix.Stat_t
	fd := int(f.Fd())
	if unix.Fstat(fd, &stat) != nil {
		return false
	}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG: // somebody who has begun to read it goes on after this process
		position, err := unix.Seek(fd, 0, unix.SEEK_CUR)
		return err == nil && position == 0 && stat.Size > 0
	case unix.S_IFIFO, unix.S_IFSOCK:
		n, err := unix.IoctlGetInt(fd, unix.TIOCINQ) // FIONREAD by its other name
		return err == nil && n > 0 && !isStdinOf(os.Getppid(), &stat)
	}
	return false // nobody prepares the input of a terminal or another device
}

// isStdinOf tells whether a process has the same file as its standard input. A process that cannot be looked into
// has not.
func isStdinOf(pid int, stat *unix.Stat_t) bool {
	var other unix.Stat_t
	err := unix.Stat("/proc/"+strconv.Itoa(pid)+"/fd/0", &other)
	return err == nil && other.Dev == stat.Dev && other.Ino == stat.Ino
}
