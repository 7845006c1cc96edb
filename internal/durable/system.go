package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// directory is an open directory. Files are named relative to it, so that a directory that is renamed or exchanged
// meanwhile cannot divert an operation to another place.
type directory struct {
	path string // as the caller named it
	root *os.Root
	file *os.File // the same directory, to list, to sync, and for calls that os.Root does not offer
}

func (d *directory) close() {
	// Nothing was written through these descriptors, so their close has nothing to report.
	_ = d.file.Close()
	_ = d.root.Close()
}

// system is every operation through which this package touches the file system; tests replace single ones to make them
// fail. Those that take a name act on the entry of that name in the directory and follow no symbolic link.
type system struct {
	openDir   func(path string) (*directory, error)
	list      func(d *directory) ([]string, error)
	create    func(d *directory, name string) (*os.File, error) // new, mode 0600, for reading and writing
	open      func(d *directory, name string) (*os.File, error) // for reading
	openLock  func(d *directory, name string) (*os.File, error) // for a lock
	lstat     func(d *directory, name string) (fs.FileInfo, error)
	mounted   func(d *directory, name string) bool // false where the kernel does not tell
	exchange  func(d *directory, a, b string) error
	rename    func(d *directory, from, to string) error
	renameNew func(d *directory, from, to string) error // fs.ErrExist where to exists
	link      func(d *directory, from, to string) error
	unlink    func(d *directory, name string) error
	flushDir  func(d *directory) error // an error also where the file system cannot do it; see syncDir

	stat        func(f *os.File) (fs.FileInfo, error)
	writers     func(f *os.File) bool                          // another process has it open for writing; false where the kernel does not tell
	tryLock     func(f *os.File, exclusive bool) (bool, error) // false, nil where another descriptor holds it
	write       func(f *os.File, p []byte) error
	copy        func(to, from *os.File) (int64, error)
	chown       func(f *os.File, uid, gid int) error // -1 leaves one as it is
	chmod       func(f *os.File, mode fs.FileMode) error
	xattrs      func(f *os.File) (map[string][]byte, error)
	setXattr    func(f *os.File, name string, value []byte) error
	removeXattr func(f *os.File, name string) error
	sync        func(f *os.File) error
	beside      func(f func() error) (wait func() error) // runs f while its caller does something else
	close       func(f *os.File) error
}

// realSystem is the operating system as it is.
func realSystem() *system {
	return &system{
		openDir:   openDirectory,
		list:      listDirectory,
		create:    createFile,
		open:      openFile,
		openLock:  openLockFile,
		lstat:     func(d *directory, name string) (fs.FileInfo, error) { return d.root.Lstat(name) },
		mounted:   isMountPoint,
		exchange:  renameExchange,
		rename:    func(d *directory, from, to string) error { return d.root.Rename(from, to) },
		renameNew: renameNoReplace,
		link:      func(d *directory, from, to string) error { return d.root.Link(from, to) },
		unlink:    func(d *directory, name string) error { return d.root.Remove(name) },
		flushDir:  flushDirectory,

		stat:        (*os.File).Stat,
		writers:     hasWriters,
		tryLock:     tryLockFile,
		write:       writeFile,
		copy:        func(to, from *os.File) (int64, error) { return io.Copy(to, from) },
		chown:       (*os.File).Chown,
		chmod:       (*os.File).Chmod,
		xattrs:      readXattrs,
		setXattr:    setXattr,
		removeXattr: removeXattr,
		sync:        (*os.File).Sync,
		beside:      inGoroutine,
		close:       (*os.File).Close,
	}
}

func openDirectory(path string) (*directory, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	file, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &directory{root: root, file: file}, nil
}

func listDirectory(d *directory) ([]string, error) {
	if _, err := d.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return d.file.Readdirnames(-1)
}

// createFile relies on os.Root for O_NOFOLLOW and O_CLOEXEC, as openFile does.
func createFile(d *directory, name string) (*os.File, error) {
	return d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// openFile opens without blocking: a named pipe put in place of a file must not hang the program.
func openFile(d *directory, name string) (*os.File, error) {
	return d.root.OpenFile(name, os.O_RDONLY|openNonblock, 0)
}

// openLockFile opens for writing too, because NFS grants an exclusive lock only then.
func openLockFile(d *directory, name string) (*os.File, error) {
	return d.root.OpenFile(name, os.O_RDWR|openNonblock, 0)
}

func writeFile(f *os.File, p []byte) error {
	_, err := f.Write(p)
	return err
}

func inGoroutine(f func() error) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return func() error { return <-done }
}

// syncDir makes the entries of a directory durable, where its file system can do that.
func (sys *system) syncDir(d *directory) error {
	err := sys.flushDir(d)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
