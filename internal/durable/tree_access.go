package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Owner is the owner of a file. Platforms without owners ignore it.
type Owner struct{ UID, GID int }

// Access says who may do what with a file.
type Access struct {
	Mode  fs.FileMode // the permission bits, whatever the umask
	Owner *Owner      // nil: whatever a new file gets
}

// Of tells whether the file that info describes has this access. Without an Owner in it, any group will do, for a
// directory may hand down its own.
func (a Access) Of(info fs.FileInfo) bool {
	mode := info.Mode() & modeBits
	if info.IsDir() && a.Owner == nil {
		mode &^= fs.ModeSetgid
	}
	if enforcesMode && mode != a.Mode {
		return false
	}
	uid, gid, ok := ownerOf(info)
	switch {
	case !ok:
		return true
	case a.Owner == nil:
		return uid == os.Geteuid()
	}
	return uid == a.Owner.UID && gid == a.Owner.GID
}

func (a Access) attributes() attributes {
	want := attributes{mode: a.Mode, like: true} // like: an access control list that the directory hands down goes
	if a.Owner != nil {
		want.owned, want.uid, want.gid = true, a.Owner.UID, a.Owner.GID
	}
	return want
}

// uid is the number of the user that a file with this access belongs to.
func (a Access) uid() int {
	if a.Owner != nil {
		return a.Owner.UID
	}
	return os.Geteuid()
}

// Mkdir makes a directory with that access. One that is there stays as it is.
func (t *Tree) Mkdir(name string, a Access) error {
	return t.within(name, func(dir *directory, base string) error {
		err := t.makeIn(dir, base, a)
		if errors.Is(err, fs.ErrExist) {
			child, err := t.sys.openChild(dir, base)
			if err != nil {
				return wrap("make directory", t.Path(name), err)
			}
			defer child.close()
			return t.acceptsBelow(dir, child)
		}
		return wrap("make directory", t.Path(name), err)
	})
}

// SetAccess gives a directory, the tree's own for ".", another access. A set-group-ID bit stays where no owner is
// given, so that the files below get the group that it is there for. A directory that neither has the right owner, nor is this
// process's in a directory where nobody else could have put it, is left alone (ErrAttributes). So directories within one
// another get a new owner from the innermost on.
func (t *Tree) SetAccess(name string, a Access) error {
	if name == "." {
		return wrap("set access of", t.top.path, t.setOwnAccess(t.top, a, t.parent))
	}
	return t.within(name, func(dir *directory, base string) error {
		child, err := t.sys.openChild(dir, base)
		if err != nil {
			return wrap("set access of", t.Path(name), err)
		}
		defer child.close()
		if err := t.acceptsBelow(dir, child); err != nil { // Mkdir has found it there, made by anybody
			return err
		}
		parent, err := t.sys.stat(dir.file)
		if err != nil {
			return wrap("look at", dir.path, err)
		}
		return wrap("set access of", t.Path(name), t.setOwnAccess(child, a, parent))
	})
}

// setOwnAccess is setAccess for a directory that has the right owner already, or is this process's in a directory where
// nobody but root and this process's user can have given it its name.
func (t *Tree) setOwnAccess(dir *directory, a Access, parent fs.FileInfo) error {
	info, err := t.sys.stat(dir.file)
	if err != nil {
		return err
	}
	uid, _, ok := ownerOf(info)
	if ok && uid != a.uid() && (uid != os.Geteuid() || othersRename(parent)) {
		return fmt.Errorf("%w: it belongs to user %d and not to user %d", ErrAttributes, uid, a.uid())
	}
	return t.setAccess(dir, a)
}

// othersRename tells whether somebody else than root and this process's user can rename what is this user's in a directory.
func othersRename(dir fs.FileInfo) bool {
	const othersWrite = fs.FileMode(0o022)
	uid, _, _ := ownerOf(dir)
	return uid != 0 && uid != os.Geteuid() || dir.Mode()&othersWrite != 0 && dir.Mode()&fs.ModeSticky == 0
}

func (t *Tree) setAccess(dir *directory, a Access) error {
	info, err := t.sys.stat(dir.file)
	if err != nil || a.Of(info) {
		return err
	}
	if err := t.sys.applyOwner(dir.file, info, a.attributes()); err != nil {
		return fmt.Errorf("%w: %w", ErrAttributes, cause(err))
	}
	mode := a.Mode
	if a.Owner == nil {
		mode |= info.Mode() & fs.ModeSetgid
	}
	if err := t.sys.chmod(dir.file, mode); err != nil {
		return fmt.Errorf("%w: %w", ErrAttributes, cause(err))
	}
	return t.sys.syncDir(dir)
}
