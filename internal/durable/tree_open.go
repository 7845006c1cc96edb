package durable

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/followlinks"
)

// OpenTree opens the directory at path, which may be a symbolic link. created tells whether it had to be made.
func OpenTree(path string, o TreeOptions) (t *Tree, created bool, err error) {
	t = &Tree{sys: realSystem(), accept: o.Accept}
	t.top, err = t.openTop(path, o)
	if errors.Is(err, fs.ErrNotExist) && o.Create {
		created = true
		err = t.makeTop(path, o)
		if errors.Is(err, fs.ErrExist) { // somebody else was quicker
			created, err = false, nil
		}
		if err == nil {
			t.top, err = t.openTop(path, o)
		}
	}
	if err != nil {
		return nil, false, err
	}
	t.top.path = path
	if err := t.accepts(t.top); err != nil {
		t.top.close()
		return nil, false, err
	}
	return t, created, nil
}

// openTop opens the directory of the tree and has its parent and the links on the path accepted.
func (t *Tree) openTop(path string, o TreeOptions) (dir *directory, err error) {
	way, err := t.followed(path, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = way.Close() }() // opened for reading only
	if err := t.lookAtParent(path, o); err != nil {
		return nil, wrap("open directory", path, err)
	}
	if dir, err = t.sys.openDir(path); err != nil {
		return nil, wrap("open directory", path, err)
	}
	// What was opened by its path is what the links led to when they were looked at, or else they changed.
	seen, err := t.sys.stat(way)
	if err == nil {
		var opened fs.FileInfo
		if opened, err = t.sys.stat(dir.file); err == nil && !os.SameFile(seen, opened) {
			err = ErrChanged
		}
		if err == nil {
			err = foreignWithin(path, t.parent, opened)
		}
	}
	if err != nil {
		dir.close()
		if errors.Is(err, ErrForeignOwner) { // which names the path
			return nil, err
		}
		return nil, wrap("open directory", path, err)
	}
	return dir, nil
}

// lookAtParent has the directory that holds the name of the top accepted, and notes what it is.
func (t *Tree) lookAtParent(path string, o TreeOptions) error {
	parent, err := t.followed(filepath.Join(path, ".."), o)
	if err != nil {
		return err
	}
	defer func() { _ = parent.Close() }() // opened for reading only
	if t.parent, err = t.sys.stat(parent); err != nil {
		return err
	}
	if o.AcceptParent == nil {
		return nil
	}
	return o.AcceptParent(parent)
}

// followed opens path, link by link.
func (t *Tree) followed(path string, o TreeOptions) (*os.File, error) {
	accept := o.AcceptLink
	if accept == nil {
		accept = func(string, fs.FileInfo) error { return nil }
	}
	f, err := followlinks.Open(path, accept)
	return f, wrap("open directory", path, err)
}

// makeTop makes the directory of the tree. It gets its access under another name, so that nobody ever finds it
// without.
func (t *Tree) makeTop(name string, o TreeOptions) (err error) {
	name = strings.TrimRight(name, string(os.PathSeparator))
	way, err := t.followed(filepath.Dir(name), o)
	if err != nil {
		return err
	}
	_ = way.Close() // opened for reading only
	parent, base, err := t.sys.openParent(name)
	if err != nil {
		return err
	}
	defer parent.close()
	if err := t.accepts(parent); err != nil {
		return wrap("make directory", name, err)
	}
	if err := t.sweepUnnamed(parent, base); err != nil {
		return wrap("make directory", name, err)
	}
	return wrap("make directory", name, t.makeIn(parent, base, o.topAccess()))
}

// unnamedSuffix ends the name of a directory that is being made.
const unnamedSuffix = ".vault-dir"

// isUnnamed tells whether a name has the form of one that makeIn gives.
func isUnnamed(name string) bool { return name[0] == '.' && strings.HasSuffix(name, unnamedSuffix) }

// makeIn makes a directory with that access. It gets its name last, so that nobody ever finds it with another access,
// and a killed process leaves none. The error is fs.ErrExist where there is something of that name.
func (t *Tree) makeIn(parent *directory, base string, a Access) (err error) {
	unnamed := "." + base + "." + strings.ToLower(rand.Text()) + unnamedSuffix
	if err := parent.root.Mkdir(unnamed, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = parent.root.Remove(unnamed) // the first error counts
		}
	}()
	dir, err := t.sys.openChild(parent, unnamed)
	if errors.Is(err, fs.ErrPermission) { // the umask took this process's own right to open it
		if err = parent.root.Chmod(unnamed, 0o700); err == nil {
			dir, err = t.sys.openChild(parent, unnamed)
		}
	}
	if err != nil {
		return err
	}
	err = t.setAccess(dir, a)
	dir.close()
	if err != nil {
		return err
	}
	err = t.sys.renameNew(parent, unnamed, base)
	if unsupported(err) { // then two at once may exchange an empty directory for another
		if _, err = t.sys.lstat(parent, base); err == nil {
			err = fs.ErrExist
		} else {
			err = t.sys.rename(parent, unnamed, base)
		}
	}
	if err != nil {
		return err
	}
	return t.sys.syncDir(parent)
}

// staleAfter is when a directory without its name has been left by a killed process: it takes milliseconds to give one.
const staleAfter = time.Minute

// sweepUnnamed removes what killed processes left of the making of base.
func (t *Tree) sweepUnnamed(parent *directory, base string) error {
	names, err := t.sys.list(parent)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !isUnnamed(name) || !strings.HasPrefix(name, "."+base+".") {
			continue
		}
		if info, err := t.sys.lstat(parent, name); err == nil && info.IsDir() && time.Since(info.ModTime()) > staleAfter {
			_ = t.sys.unlink(parent, name) // another's, or not empty: it does not stand in the way
		}
	}
	return nil
}
