package render

import (
	"context"
	"fmt"
	"path/filepath"
)

// File is one file that is written by rendering. Its place is locked until Close.
type File struct {
	*target
	name string
}

// OpenFile opens the directory of the file at path to write it there. Errors are those of [OpenDirectory]; the directory must
// exist.
func OpenFile(ctx context.Context, path string, o Options) (*File, error) {
	dir, name := filepath.Split(path)
	if name == "" || name == "." || name == ".." {
		return nil, fmt.Errorf("%w: %q", ErrFileName, path)
	}
	if dir == "" {
		dir = "."
	}
	t, _, err := openTarget(ctx, dir, name, false, o)
	if err != nil {
		return nil, err
	}
	return &File{t, name}, nil
}

// Write makes data the content of the file, which was named by its user and so is replaced whoever has written it; only a
// symbolic link or something else than a file is an [ErrConflict]. written is false where nothing had to be done, and first
// true where there was no file.
func (f *File) Write(data []byte) (written, first bool, err error) {
	if err := f.tree.Sweep([]string{f.name}); err != nil {
		return false, false, err
	}
	info, err := f.lstat(f.name)
	if err != nil {
		return false, false, err
	}
	if info != nil && !info.Mode().IsRegular() {
		return false, false, fmt.Errorf("%w: %s", ErrConflict, f.tree.Path(f.name))
	}
	written, err = f.put(f.name, info, data)
	return written, info == nil, err
}
