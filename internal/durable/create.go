package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// defaultMode is the mode of a new file for which none was asked.
const defaultMode fs.FileMode = 0o600

// CreateOptions say what a new file is like.
type CreateOptions struct {
	// Mode holds the permission bits, whatever the umask; 0 means 0600. It is ignored where Like is set.
	Mode fs.FileMode

	// Like names a regular file whose owner, group, mode and extended attributes the new file takes.
	Like string

	// Verify is as in ReplaceOptions.
	Verify func(f *os.File) error
}

// Create makes a new file with data as its content, whole from the moment it can be seen under its name. It never
// overwrites: an error that matches fs.ErrExist says that something is at path, be it a dangling symbolic link (to make
// what a link points to, pass what Resolve returns). Of several that create one path at once, one succeeds. On any error
// but ErrUnconfirmed there is no new file (see InPlace); the other errors are those of Replace.
func Create(path string, data []byte, o CreateOptions) error {
	return realSystem().createAt(path, data, o)
}

func (sys *system) createAt(path string, data []byte, o CreateOptions) error {
	dir, base, err := sys.openParent(path)
	if err != nil {
		return err
	}
	defer dir.close()
	c := content{
		fill:       func(f *os.File) error { return sys.write(f, data) },
		attributes: attributes{mode: o.Mode.Perm()},
		verify:     o.Verify,
	}
	switch {
	case o.Like != "":
		if c.attributes, err = sys.attributesOf(o.Like); err != nil {
			return err
		}
	case c.attributes.mode == 0:
		c.attributes.mode = defaultMode
	}
	return sys.createIn(dir, base, path, c)
}

func (sys *system) attributesOf(path string) (attributes, error) {
	t, err := sys.openTarget(path)
	if err != nil {
		return attributes{}, err
	}
	defer t.close()
	return sys.readAttributes(t.file, t.path)
}

// createIn makes a new file; path is for messages.
func (sys *system) createIn(dir *directory, base, path string, c content) error {
	_ = sys.sweep(dir, base) // what it cannot remove does not stand in the way
	_, err := sys.lstat(dir, base)
	if err == nil {
		err = fs.ErrExist
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return wrap("create", path, err)
	}
	return sys.add(dir, base, path, c)
}

// add is createIn without a look for what is at path and what was left behind.
func (sys *system) add(dir *directory, base, path string, c content) error {
	tmp, err := sys.stage(dir, base, c)
	if err != nil {
		return err
	}
	if err := sys.place(tmp, base); err != nil {
		return sys.discard(tmp, wrapRename("create", path, err))
	}
	err = wrap("sync directory", dir.path, sys.syncDir(dir))
	if closeErr := wrap("close", path, sys.closeTemp(tmp)); err == nil {
		err = closeErr
	}
	if err == nil {
		return nil
	}
	switch ours, look := sys.isEntry(dir, base, tmp.info); {
	case look != nil:
		return unconfirmed(err, look)
	case !ours: // another program has removed the new file, or put its own in the place
		return fmt.Errorf("%w (%w)", err, ErrChanged)
	}
	if back := sys.unlink(dir, base); back != nil {
		return unconfirmed(err, back)
	}
	return sys.confirmRestored(dir, err)
}

// place gives a temporary file its name, unless that is taken (fs.ErrExist).
func (sys *system) place(tmp *temp, name string) error {
	err := sys.renameNew(tmp.dir, tmp.name, name)
	if err == nil || !unsupported(err) {
		return err
	}
	if err := sys.link(tmp.dir, tmp.name, name); err != nil {
		return err
	}
	_ = sys.unlink(tmp.dir, tmp.name) // the file is made; a name that stays behind goes with the next sweep
	return nil
}
