// Package descriptor opens files that may be given as the name of an open descriptor: /dev/stdin,
// /dev/fd/N (what a shell's process substitution yields) and /proc/self/fd/N.
//
// Such a name is not opened again but duplicated. To open it again is not the same: an unprivileged
// process that is not dumpable may not, and a regular file would be read from its start once more.
//
// What is opened here is a key or holds secrets, so a descriptor that was named is closed in every program
// that the process starts or becomes. For standard input, and for other descriptors of the same file, see [Withhold].
//
// No call waits for the writer of a named pipe: [Open] returns at once, and [Reader] waits as long as a context
// lets it.
package descriptor

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Open opens path for reading, or duplicates the descriptor that it names. Errors are *fs.PathError.
func Open(path string) (*os.File, error) {
	fd, ok := number(path)
	if !ok {
		return os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	}
	f, err := duplicate(fd, path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return f, nil
}

// Named tells whether path is the name of a descriptor.
func Named(path string) bool {
	_, ok := number(path)
	return ok
}

// Hide keeps the file at path from the programs that this process starts, by whatever name path leads to it: every descriptor of it
// that is open here is closed there, but for standard input, output and error. Devices are left open: a terminal, from which
// a key was typed, is the program's too.
func Hide(path string) { _ = closeInPrograms(path, false) }

// Withhold is Hide for a program that this process becomes, and puts the null device in the place of a standard input, output or
// error that is the file, and of a standard input that path names.
func Withhold(path string) error { return closeInPrograms(path, true) }

func number(path string) (int, bool) {
	clean := filepath.ToSlash(filepath.Clean(path))
	if clean == "/dev/stdin" {
		return 0, true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if digits, ok := strings.CutPrefix(clean, dir); ok {
			fd, err := strconv.Atoi(digits)
			return fd, err == nil && fd >= 0
		}
	}
	return 0, false
}
