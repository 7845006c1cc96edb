package durable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// Tree is an open directory in which, and in whose subdirectories, files are made, replaced and removed by name. It is for
// directories that somebody else may write to: no symbolic link below the directory is ever followed, and everything is
// done relative to open directories, so that nothing that is exchanged meanwhile leads an operation elsewhere.
//
// A name has its parts separated by '/', none of them empty, "." or ".."; other names are ErrNotRegular. Where a part
// before the last is something other than a directory, errors match syscall.ENOTDIR.
//
// The methods do not sweep, because a directory of many files would then be listed once for each: call Sweep first.
type Tree struct {
	sys    *system
	top    *directory
	accept func(dir *os.File) error

	parent fs.FileInfo // the directory that holds the name of the top
}

// TreeOptions adjust OpenTree.
type TreeOptions struct {
	// Create makes a missing directory, with mode 0700, but not its parents.
	Create bool

	// Accept, if set, is shown every directory before anything is done in it, the parent of one to be made first of all.
	// Its error is wrapped.
	Accept func(dir *os.File) error

	// AcceptParent, if set, is shown the parent of a directory that is there: whoever owns it can exchange the directory.
	AcceptParent func(dir *os.File) error

	// AcceptLink, if set, is asked about every symbolic link on the path before it is followed. Its error is wrapped.
	AcceptLink func(path string, info fs.FileInfo) error

	// Access is what a directory that is made gets before it has its name; the zero value is mode 0700.
	Access Access
}

// topAccess is the access of a directory that is made.
func (o TreeOptions) topAccess() Access {
	if o.Access == (Access{}) {
		return Access{Mode: 0o700}
	}
	return o.Access
}

func (t *Tree) accepts(dir *directory) error {
	if t.accept == nil {
		return nil
	}
	return t.accept(dir.file)
}

// acceptsBelow is accepts for a subdirectory. In a directory of another user it has to be that user's: such a user can give any
// directory of this process's there the name that is looked for.
func (t *Tree) acceptsBelow(parent, child *directory) error {
	if err := t.accepts(child); err != nil {
		return err
	}
	outer, err := t.sys.stat(parent.file)
	if err != nil {
		return wrap("look at", parent.path, err)
	}
	inner, err := t.sys.stat(child.file)
	if err != nil {
		return wrap("look at", child.path, err)
	}
	return foreignWithin(child.path, outer, inner)
}

// foreignWithin returns an ErrForeignOwner for a directory, inner, that its outer one's owner may have exchanged for it.
func foreignWithin(path string, outer, inner fs.FileInfo) error {
	uid, _, ok := ownerOf(outer)
	if !ok || uid == 0 || uid == os.Geteuid() {
		return nil
	}
	if innerUID, _, _ := ownerOf(inner); innerUID != uid {
		return fmt.Errorf("%s: %w (number %d) than the directory that it is in (number %d)", path, ErrForeignOwner, innerUID, uid)
	}
	return nil
}

// Close closes the directory.
func (t *Tree) Close() { t.top.close() }

// Path returns the path of a name, for messages.
func (t *Tree) Path(name string) string { return t.top.join(name) }

// openChild opens a subdirectory, unless a symbolic link stands there.
func (sys *system) openChild(dir *directory, name string) (*directory, error) {
	entry, err := sys.lstat(dir, name)
	if err != nil {
		return nil, err
	}
	if !entry.IsDir() {
		return nil, syscall.ENOTDIR
	}
	root, err := dir.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	file, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	child := &directory{path: dir.join(name), root: root, file: file}
	opened, err := sys.stat(file)
	if err == nil && !os.SameFile(entry, opened) { // OpenRoot follows a link that took its place
		err = ErrChanged
	}
	if err != nil {
		child.close()
		return nil, err
	}
	return child, nil
}

// within calls f with the directory of name and the last part of it.
func (t *Tree) within(name string, f func(dir *directory, base string) error) error {
	parts := strings.Split(name, "/")
	for _, part := range parts {
		if part == "" || part == "." || part == ".." || strings.ContainsRune(part, os.PathSeparator) {
			return fmt.Errorf("%q: %w", name, ErrNotRegular)
		}
	}
	dir := t.top
	for i, part := range parts[:len(parts)-1] {
		child, err := t.sys.openChild(dir, part)
		if err != nil {
			return wrap("open directory", t.Path(path.Join(parts[:i+1]...)), err)
		}
		defer child.close()
		if err := t.acceptsBelow(dir, child); err != nil {
			return err
		}
		dir = child
	}
	return f(dir, parts[len(parts)-1])
}

// Lock is the function Lock for a file of the tree, except that a name that is a symbolic link is guarded itself.
func (t *Tree) Lock(ctx context.Context, name string, timeout time.Duration) (l *FileLock, err error) {
	err = t.within(name, func(dir *directory, base string) error {
		l, err = t.sys.lockIn(ctx, dir, base, timeout)
		return err
	})
	return l, err
}

// Lstat describes what is at name, or at the directory itself for ".".
func (t *Tree) Lstat(name string) (info fs.FileInfo, err error) {
	if name == "." {
		return t.sys.stat(t.top.file)
	}
	err = t.within(name, func(dir *directory, base string) error {
		info, err = t.sys.lstat(dir, base)
		return wrap("look at", t.Path(name), err)
	})
	return info, err
}

// List returns the names in the directory itself.
func (t *Tree) List() ([]string, error) {
	names, err := t.sys.list(t.top)
	return names, wrap("list directory", t.top.path, err)
}

// Open opens a regular file for reading.
func (t *Tree) Open(name string) (f *os.File, err error) {
	err = t.within(name, func(dir *directory, base string) error {
		f, err = t.sys.openRegular(dir, base)
		return wrap("open", t.Path(name), err)
	})
	return f, err
}

// Create makes a new file, as the function Create does.
func (t *Tree) Create(name string, data []byte, a Access) error {
	return t.within(name, func(dir *directory, base string) error {
		return t.sys.add(dir, base, t.Path(name), t.content(data, a))
	})
}

// Replace puts data in the place of a regular file, as the function Replace does, but with the given access and none of
// the old file's attributes.
func (t *Tree) Replace(name string, data []byte, a Access) error {
	return t.within(name, func(dir *directory, base string) error {
		if t.sys.mounted(dir, base) {
			return fmt.Errorf("replace %s: %w", t.Path(name), ErrMountPoint)
		}
		file, err := t.sys.openRegular(dir, base)
		if err != nil {
			return wrap("replace", t.Path(name), err)
		}
		defer file.Close() // read-only: nothing to report
		return t.sys.swap(&target{path: t.Path(name), dir: dir, base: base, file: file}, t.content(data, a), ReplaceOptions{})
	})
}

func (t *Tree) content(data []byte, a Access) content {
	return content{
		fill:       func(f *os.File) error { return t.sys.write(f, data) },
		attributes: a.attributes(),
	}
}

// Remove removes what is at name, a directory only if it is empty. It does not follow a symbolic link but removes it.
func (t *Tree) Remove(name string) error {
	return t.within(name, func(dir *directory, base string) error {
		if err := t.sys.unlink(dir, base); err != nil {
			return wrap("remove", t.Path(name), err)
		}
		return wrap("sync directory", dir.path, t.sys.syncDir(dir))
	})
}

// Sweep removes the temporary files that killed processes left behind for files of these names, listing each of their
// directories once. A directory that is not there, or is none, has nothing to sweep.
func (t *Tree) Sweep(names []string) error {
	prefixes := make(map[string]map[string]bool) // the beginnings of temporary names, by directory
	for _, name := range names {
		dir, base := path.Split(name)
		if prefixes[dir] == nil {
			prefixes[dir] = make(map[string]bool)
		}
		prefixes[dir][tempPrefix(base)] = true
		prefixes[dir][tempPrefix(lockName(base))] = true
	}
	var failures []error
	for dir, bases := range prefixes {
		// The last part stands for any file of the directory.
		err := t.within(dir+"x", func(d *directory, _ string) error { return t.sweepDir(d, bases) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func (t *Tree) sweepDir(d *directory, prefixes map[string]bool) error {
	names, err := t.sys.list(d)
	if err != nil {
		return wrap("list directory", d.path, err)
	}
	var failures []error
	for _, name := range names {
		prefix, isTemp := cutTemp(name)
		if isUnnamed(name) { // nobody makes one now: the directory is locked
			_ = t.sys.unlink(d, name) // another's, or not empty: it does not stand in the way
		}
		if isTemp && prefixes[prefix] {
			failures = append(failures, wrap("sweep", d.join(name), t.sys.removeStale(d, name)))
		}
	}
	return errors.Join(failures...)
}

// cutTemp returns what tempPrefix gave for a name of the form of tempName.
func cutTemp(name string) (prefix string, ok bool) {
	rest, ok := strings.CutSuffix(name, tempSuffix)
	cut := len(rest) - 2*randomBytes
	if !ok || cut < 0 || strings.Trim(rest[cut:], "0123456789abcdef") != "" {
		return "", false
	}
	return rest[:cut], true
}

// IsTempName tells whether name has the form of a temporary file's, or of a directory that is being made.
func IsTempName(name string) bool {
	_, ok := cutTemp(name)
	return ok && name[0] == '.' || isUnnamed(name)
}
