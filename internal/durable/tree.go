package durable

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mazevault/vault-tool/internal/followlinks"
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

	parentUID int // who owns the directory that holds the name of the top
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
	}
	if err != nil {
		dir.close()
		return nil, wrap("open directory", path, err)
	}
	return dir, nil
}

// lookAtParent has the directory that holds the name of the top accepted, and notes whose it is.
func (t *Tree) lookAtParent(path string, o TreeOptions) error {
	parent, err := t.followed(filepath.Join(path, ".."), o)
	if err != nil {
		return err
	}
	defer func() { _ = parent.Close() }() // opened for reading only
	info, err := t.sys.stat(parent)
	if err != nil {
		return err
	}
	t.parentUID, _, _ = ownerOf(info)
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
	unnamed := "." + base + "." + strings.ToLower(rand.Text()) + ".vault-dir"
	if err := parent.root.Mkdir(unnamed, 0o700); err != nil {
		return wrap("make directory", name, err)
	}
	defer func() {
		if err != nil {
			_ = parent.root.Remove(unnamed) // the first error counts
		}
	}()
	dir, err := t.sys.openChild(parent, unnamed)
	if err != nil {
		return wrap("make directory", name, err)
	}
	err = t.setAccess(dir, o.topAccess())
	dir.close()
	if err != nil {
		return wrap("make directory", name, err)
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
		return wrap("make directory", name, err)
	}
	return wrap("sync directory", parent.path, t.sys.syncDir(parent))
}

func (t *Tree) accepts(dir *directory) error {
	if t.accept == nil {
		return nil
	}
	return t.accept(dir.file)
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
		if err := t.accepts(child); err != nil {
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

// Mkdir makes a directory with that access. One that is there stays as it is.
func (t *Tree) Mkdir(name string, a Access) error {
	made := false
	err := t.within(name, func(dir *directory, base string) error {
		err := dir.root.Mkdir(base, 0o700)
		if errors.Is(err, fs.ErrExist) {
			child, err := t.sys.openChild(dir, base)
			if err != nil {
				return wrap("make directory", t.Path(name), err)
			}
			defer child.close()
			return t.accepts(child)
		}
		if err == nil {
			made, err = true, t.sys.syncDir(dir)
		}
		return wrap("make directory", t.Path(name), err)
	})
	if err != nil || !made {
		return err
	}
	return t.giveAccess(name, a, true)
}

// SetAccess gives a directory, the tree's own for ".", another access. A set-group-ID bit stays where no owner is
// given, so that the files below get the group that it is there for. A directory that neither has the right owner, nor is this
// process's in a directory where nobody else could have put it, is left alone (ErrAttributes). So directories within one
// another get a new owner from the innermost on.
func (t *Tree) SetAccess(name string, a Access) error { return t.giveAccess(name, a, false) }

// giveAccess is SetAccess for a directory that may have been made a moment ago.
func (t *Tree) giveAccess(name string, a Access, made bool) error {
	if name == "." {
		return wrap("set access of", t.top.path, t.setOwnAccess(t.top, a, t.parentUID))
	}
	return t.within(name, func(dir *directory, base string) error {
		child, err := t.sys.openChild(dir, base)
		if err != nil {
			return wrap("set access of", t.Path(name), err)
		}
		defer child.close()
		if err := t.accepts(child); err != nil { // Mkdir has found it there, made by anybody
			return err
		}
		parentUID := os.Geteuid()
		if info, err := t.sys.stat(dir.file); err == nil && !made {
			parentUID, _, _ = ownerOf(info)
		}
		return wrap("set access of", t.Path(name), t.setOwnAccess(child, a, parentUID))
	})
}

// setOwnAccess is setAccess for a directory that has the right owner already, or is this process's in a directory of
// its own or of root.
func (t *Tree) setOwnAccess(dir *directory, a Access, parentUID int) error {
	info, err := t.sys.stat(dir.file)
	if err != nil {
		return err
	}
	own := func(uid int) bool { return uid == os.Geteuid() }
	if uid, _, ok := ownerOf(info); ok && uid != a.uid() && !(own(uid) && (own(parentUID) || parentUID == 0)) {
		return fmt.Errorf("%w: it belongs to user %d and not to user %d", ErrAttributes, uid, a.uid())
	}
	return t.setAccess(dir, a)
}

// uid is the number of the user that a file with this access belongs to.
func (a Access) uid() int {
	if a.Owner != nil {
		return a.Owner.UID
	}
	return os.Geteuid()
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

// IsTempName tells whether name has the form of a temporary file's.
func IsTempName(name string) bool {
	_, ok := cutTemp(name)
	return ok && name[0] == '.'
}
