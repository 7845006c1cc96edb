package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
)

const (
	// modeBits are the bits of a mode that chmod sets.
	modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

	// aclXattr holds a POSIX access control list (acl(5)).
	aclXattr = "system.posix_acl_access"
)

// attributes are what a new file is given before anybody can find it under its name.
type attributes struct {
	mode   fs.FileMode
	like   bool // the rest holds too: the file is to be like another one
	owned  bool // false on platforms without owners
	uid    int
	gid    int
	xattrs map[string][]byte
}

// readAttributes returns those of an open file.
func (sys *system) readAttributes(f *os.File, path string) (attributes, error) {
	info, err := sys.stat(f)
	if err != nil {
		return attributes{}, wrap("read attributes of", path, err)
	}
	xattrs, err := sys.xattrs(f)
	if err != nil {
		return attributes{}, fmt.Errorf("%w: %w", ErrAttributes, wrap("read extended attributes of", path, err))
	}
	a := attributes{mode: info.Mode() & modeBits, like: true, xattrs: xattrs}
	a.uid, a.gid, a.owned = ownerOf(info)
	return a, nil
}

// apply gives want to an open temporary file. The order matters: a change of owner clears set-user-ID bits and
// capabilities; extended attributes can be written while the mode still lets the owner write, and an access control list
// that the directory handed down must be gone before the mode opens it to groups.
func (sys *system) apply(tmp *temp, want attributes) error {
	fail := func(what string, err error) error {
		return fmt.Errorf("%w: %w", ErrAttributes, wrap(what+" of temporary file in", tmp.dir.path, err))
	}
	info, err := sys.stat(tmp.file)
	if err != nil {
		return fail("read attributes", err)
	}
	if want.like {
		if err := sys.applyOwner(tmp.file, info, want); err != nil {
			return fail(fmt.Sprintf("set owner %d:%d", want.uid, want.gid), err)
		}
		if name, err := sys.applyXattrs(tmp.file, want.xattrs); err != nil {
			return fail("set extended attribute "+name, err)
		}
	}
	if info.Mode()&modeBits != want.mode {
		if err := sys.chmod(tmp.file, want.mode); err != nil {
			return fail(fmt.Sprintf("set mode %#o", want.mode.Perm()), err)
		}
	}
	if err := sys.confirm(tmp.file, want); err != nil {
		return fail("check attributes", err)
	}
	return nil
}

func (sys *system) applyOwner(f *os.File, info fs.FileInfo, want attributes) error {
	haveUID, haveGID, ok := ownerOf(info)
	if !ok || !want.owned {
		return nil
	}
	uid, gid := want.uid, want.gid
	if uid == haveUID {
		uid = -1
	}
	if gid == haveGID {
		gid = -1
	}
	if uid == -1 && gid == -1 {
		return nil
	}
	return sys.chown(f, uid, gid)
}

// applyXattrs makes the extended attributes of f those of want and returns the name of the one that failed. What the
// kernel has already set to the same value, such as a security label, is not set again, which would need a privilege.
func (sys *system) applyXattrs(f *os.File, want map[string][]byte) (string, error) {
	have, err := sys.xattrs(f)
	if err != nil {
		return "list", err
	}
	_, inherited := have[aclXattr]
	_, wanted := want[aclXattr]
	if inherited && !wanted {
		if err := sys.removeXattr(f, aclXattr); err != nil {
			return aclXattr, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, ok := have[name]
		if isKernelXattr(name) || ok && bytes.Equal(value, want[name]) {
			continue
		}
		if err := sys.setXattr(f, name, want[name]); err != nil {
			return name, err
		}
	}
	return "", nil
}

// confirm reads back what was set: some file systems accept a mode or an owner and ignore it.
func (sys *system) confirm(f *os.File, want attributes) error {
	info, err := sys.stat(f)
	if err != nil {
		return err
	}
	if enforcesMode && info.Mode()&modeBits != want.mode {
		return fmt.Errorf("mode is %v instead of %v", info.Mode()&modeBits, want.mode)
	}
	uid, gid, ok := ownerOf(info)
	if want.like && want.owned && ok && (uid != want.uid || gid != want.gid) {
		return errors.New("the file system ignores the owner")
	}
	return nil
}
