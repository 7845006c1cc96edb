// Package descriptor opens files that may be given as the name of an open descriptor: /dev/stdin,
// /dev/fd/N (what a shell's process substitution yields) and /proc/self/fd/N.
//
// Such a name is not opened again but duplicated. To open it again is not the same: an unprivileged
// process that is not dumpable may not, and a regular file would be read from its start once more.
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
		return os.Open(path)
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
