package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Backup makes backup a durable copy of path, with the same owner, group, mode and extended attributes. A backup that
// exists is replaced as Replace does it: whole, and left as it was on an error. The two may be in different directories.
// The errors are those of Replace, for either path.
//
// Links are followed for path but not for backup (ErrNotRegular): its name is seldom chosen by the operator, and
// whoever can write to the directory could otherwise aim it at another file.
//
// It is a copy and never a hard link: somebody who restores an older vault with cp writes into the file in place, and
// would write into the linked backup as well. File systems that can share blocks between files do so.
func Backup(path, backup string) error { return realSystem().backup(path, backup, 0) }

// BackupAs is Backup with another mode than the file's.
func BackupAs(path, backup string, mode fs.FileMode) error {
	return realSystem().backup(path, backup, mode)
}

// backup is Backup with another mode than the file's, unless that is 0.
func (sys *system) backup(path, backup string, mode fs.FileMode) error {
	source, err := sys.openTarget(path)
	if err != nil {
		return err
	}
	defer source.close()
	c := content{fill: func(f *os.File) error { return sys.copyFrom(source, f) }}
	if c.attributes, err = sys.readAttributes(source.file, source.path); err != nil {
		return err
	}
	if mode != 0 {
		c.attributes.mode = mode
	}
	old, err := sys.openReplaceable(backup)
	if errors.Is(err, fs.ErrNotExist) {
		return sys.createBackup(backup, c)
	}
	if err != nil {
		return err
	}
	defer old.close()
	same, err := sys.names(old.dir, old.base, source.file)
	if err != nil {
		return wrap("back up", path, err)
	}
	if same {
		return fmt.Errorf("back up %s to %s: %w", path, backup, errSameFile)
	}
	return sys.replaceTarget(old, c, ReplaceOptions{})
}

// errSameFile is no sentinel for callers: only a mistake in their program leads to it.
var errSameFile = errors.New("both are the same file")

func (sys *system) createBackup(backup string, c content) error {
	dir, base, err := sys.openParent(backup)
	if err != nil {
		return err
	}
	defer dir.close()
	return sys.createIn(dir, base, backup, c)
}

func (sys *system) copyFrom(source *target, to *os.File) error {
	n, err := sys.copy(to, source.file)
	if err != nil {
		return err
	}
	info, err := sys.stat(source.file)
	if err == nil && info.Size() != n {
		err = ErrChanged
	}
	return err
}

// Rename gives the file oldpath the name newpath in the same directory, replacing a regular file of that name, and syncs
// the directory. Neither may be a symbolic link (ErrNotRegular): pass what Resolve returns. On an error before the rename
// nothing has changed; a failed sync of the directory is ErrUnconfirmed, and the file has its new name.
func Rename(oldpath, newpath string) error { return realSystem().renameFile(oldpath, newpath) }

func (sys *system) renameFile(oldpath, newpath string) error {
	dir, oldname, err := sys.openParent(oldpath)
	if err != nil {
		return err
	}
	defer dir.close()
	newname, err := sys.siblingName(dir, newpath)
	if err != nil {
		return fmt.Errorf("rename %s to %s: %w", oldpath, newpath, err)
	}
	info, err := sys.lstat(dir, oldname)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		return wrap("rename", oldpath, err)
	}
	info, err = sys.lstat(dir, newname)
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap("replace", newpath, err)
	}
	if err := sys.rename(dir, oldname, newname); err != nil {
		return wrapRename("rename "+oldpath+" to", newpath, err)
	}
	if err := sys.syncDir(dir); err != nil {
		return fmt.Errorf("the new name is in place, but %w: %w", ErrUnconfirmed, wrap("sync directory", dir.path, err))
	}
	return nil
}

// errOtherDirectory is no sentinel for callers: only a mistake in their program leads to it.
var errOtherDirectory = errors.New("not in the same directory")

// siblingName returns the name of path in dir, which must be its directory.
func (sys *system) siblingName(dir *directory, path string) (string, error) {
	parent, name, err := splitPath(path)
	if err != nil {
		return "", err
	}
	if parent == dir.path {
		return name, nil
	}
	have, err := sys.stat(dir.file)
	if err != nil {
		return "", err
	}
	want, err := os.Stat(parent)
	if err != nil {
		return "", err
	}
	if !os.SameFile(have, want) {
		return "", errOtherDirectory
	}
	return name, nil
}
