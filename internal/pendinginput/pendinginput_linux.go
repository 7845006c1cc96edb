package pendinginput

import (
	"os"
	"strconv"
	"strings"

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
		return err == nil && n > 0 && !readBy(os.Getppid(), &stat)
	}
	return false // nobody prepares the input of a terminal or another device
}

// readBy tells whether a process may be reading the same file, as its standard input. One that has read nothing at
// all since it was forked does not: a shell that runs a function, or commands in braces, at the end of a pipe.
// A process that cannot be looked into is taken for one that does not.
func readBy(pid int, stat *unix.Stat_t) bool {
	process := "/proc/" + strconv.Itoa(pid)
	var stdin unix.Stat_t
	if unix.Stat(process+"/fd/0", &stdin) != nil || stdin.Dev != stat.Dev || stdin.Ino != stat.Ino {
		return false
	}
	counters, err := os.ReadFile(process + "/io") // proc_pid_io(5); not every kernel has it
	return err != nil || !strings.Contains("\n"+string(counters), "\nrchar: 0\n")
}
