// Package followlinks opens files by paths on which symbolic links may stand that somebody else has made.
package followlinks

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// maxLinks is how many symbolic links may lead to a file: as many as Linux follows (path_resolution(7)).
const maxLinks = 40

// Open opens the file or directory at path for reading, without waiting for the writer of a pipe. It follows
// links one by one, wherever on the path they stand, and asks accept about each before it does; path is then how a
// message names the link. An error of accept is returned as it is; others are *fs.PathError.
func Open(path string, accept func(path string, info fs.FileInfo) error) (*os.File, error) {
	return open(path, accept)
}

// pathError is the error for a step on the way to path.
func pathError(path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return &fs.PathError{Op: "open", Path: path, Err: err}
}

// splitPath returns where the walk to a file begins, and the names of the steps.
func splitPath(path string) (start string, steps []string) {
	volume := filepath.VolumeName(path)
	rest := path[len(volume):]
	start = "."
	if volume != "" || rest != "" && os.IsPathSeparator(rest[0]) {
		start = volume + string(filepath.Separator)
	}
	for from := 0; from <= len(rest); {
		to := from
		for to < len(rest) && !os.IsPathSeparator(rest[to]) {
			to++
		}
		if step := rest[from:to]; step != "" && step != "." {
			steps = append(steps, step)
		}
		from = to + 1
	}
	return start, steps
}
