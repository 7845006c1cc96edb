package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// target is an existing regular file, open for reading, in its directory.
type target struct {
	path string
	dir  *directory
	base string
	file *os.File
}

func (t *target) close() {
	_ = t.file.Close() // read-only: nothing to report
	t.dir.close()
}

// join returns the path of an entry, which is not cleaned: where "dir/.." is part of it, dir may be a symbolic link.
func (d *directory) join(name string) string {
	switch {
	case d.path == ".":
		return name
	case os.IsPathSeparator(d.path[len(d.path)-1]):
		return d.path + name
	}
	return d.path + string(filepath.Separator) + name
}

// openParent opens the directory of path and returns it with the name of the file in it.
func (sys *system) openParent(path string) (*directory, string, error) {
	parent, base, err := splitPath(path)
	if err != nil {
		return nil, "", err
	}
	dir, err := sys.openDir(parent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", &MissingDirectoryError{Path: parent, Err: cause(err)}
	}
	if err != nil {
		return nil, "", wrap("open directory", parent, err)
	}
	dir.path = parent
	return dir, base, nil
}

// openTarget opens the regular file that path names, directly or through symbolic links.
func (sys *system) openTarget(path string) (*target, error) {
	resolved, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	return sys.openResolved(resolved)
}

// openResolved opens the regular file at path itself.
func (sys *system) openResolved(path string) (*target, error) {
	dir, base, err := sys.openParent(path)
	if err != nil {
		return nil, err
	}
	t := &target{path: path, dir: dir, base: base}
	if t.file, err = sys.openRegular(dir, base); err != nil {
		dir.close()
		return nil, wrap("open", path, err)
	}
	return t, nil
}

// openRegular looks before it opens, because opening a device can have effects, and looks again at what it got.
func (sys *system) openRegular(dir *directory, base string) (*os.File, error) {
	info, err := sys.lstat(dir, base)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	f, err := sys.open(dir, base)
	if err != nil {
		return nil, err
	}
	if info, err = sys.stat(f); err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// openReplaceable opens the file at path itself to be replaced.
func (sys *system) openReplaceable(path string) (*target, error) {
	t, err := sys.openResolved(path)
	if err != nil {
		return nil, err
	}
	if sys.mounted(t.dir, t.base) {
		t.close()
		return nil, fmt.Errorf("replace %s: %w", t.path, ErrMountPoint)
	}
	return t, nil
}

// CheckReplaceable returns the error with which Replace would refuse path, without changing the file: nil, or one that
// matches fs.ErrNotExist, fs.ErrPermission, ErrNotRegular, ErrMountPoint, ErrAttributes, or says that the directory
// cannot be written. To find out it makes an empty temporary file, gives it the attributes of the file, and removes it.
func CheckReplaceable(path string) error { return realSystem().checkReplaceable(path) }

func (sys *system) checkReplaceable(path string) error {
	resolved, err := Resolve(path)
	if err != nil {
		return err
	}
	t, err := sys.openReplaceable(resolved)
	if err != nil {
		return err
	}
	defer t.close()
	want, err := sys.readAttributes(t.file, t.path)
	if err != nil {
		return err
	}
	_ = sys.sweep(t.dir, t.base) // what it cannot remove does not stand in the way
	tmp, err := sys.newTemp(t.dir, t.base)
	if err != nil {
		return err
	}
	return sys.discard(tmp, sys.apply(tmp, want))
}
