//go:build !linux

package followlinks

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// open goes from name to name. Somebody who may exchange a link of another's between the question and the step is not
// seen here; on Linux he is.
func open(path string, accept func(path string, info os.FileInfo) error) (*os.File, error) {
	at, steps := splitPath(path)
	for followed := 0; len(steps) > 0; {
		next := filepath.Join(at, steps[0])
		info, err := os.Lstat(next)
		if err != nil {
			return nil, pathError(path, err)
		}
		steps = steps[1:]
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if err := accept(next, info); err != nil {
			return nil, err
		}
		target, err := os.Readlink(next)
		if err != nil {
			return nil, pathError(path, err)
		}
		if followed++; followed > maxLinks {
			return nil, pathError(path, errors.New("too many links"))
		}
		start, before := splitPath(target)
		steps = append(before, steps...)
		if start != "." {
			at = start
		}
	}
	info, err := os.Lstat(at)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil, pathError(path, errors.New("not a regular file")) // before it is opened: a pipe would wait
	}
	file, err := os.Open(at)
	if err != nil {
		return nil, pathError(path, err)
	}
	return file, nil
}
