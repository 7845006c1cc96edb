package durable

import (
	"io/fs"
	"os"
)

// intercepted returns sys with before called ahead of every operation; where it returns an error, the operation fails
// with it and has no effect. A file is closed in any case, as it is at the end of a process.
func intercepted(sys *system, before func(operation string) error) *system {
	two := func(name string, call func(*directory, string, string) error) func(*directory, string, string) error {
		return func(d *directory, a, b string) error {
			if err := before(name); err != nil {
				return err
			}
			return call(d, a, b)
		}
	}
	return &system{
		openDir: func(path string) (*directory, error) { return call1(before, "openDir", sys.openDir, path) },
		list:    func(d *directory) ([]string, error) { return call1(before, "list", sys.list, d) },
		create: func(d *directory, name string) (*os.File, error) {
			return call2(before, "create", sys.create, d, name)
		},
		open: func(d *directory, name string) (*os.File, error) { return call2(before, "open", sys.open, d, name) },
		openLock: func(d *directory, name string) (*os.File, error) {
			return call2(before, "openLock", sys.openLock, d, name)
		},
		lstat: func(d *directory, name string) (fs.FileInfo, error) {
			return call2(before, "lstat", sys.lstat, d, name)
		},
		mounted:   sys.mounted,
		writers:   sys.writers,
		exchange:  two("exchange", sys.exchange),
		rename:    two("rename", sys.rename),
		renameNew: two("renameNew", sys.renameNew),
		link:      two("link", sys.link),
		unlink: func(d *directory, name string) error {
			if err := before("unlink"); err != nil {
				return err
			}
			return sys.unlink(d, name)
		},
		flushDir: func(d *directory) error {
			if err := before("flushDir"); err != nil {
				return err
			}
			return sys.flushDir(d)
		},
		stat: func(f *os.File) (fs.FileInfo, error) { return call1(before, "stat", sys.stat, f) },
		tryLock: func(f *os.File, exclusive bool) (bool, error) {
			return call2(before, "tryLock", sys.tryLock, f, exclusive)
		},
		write: func(f *os.File, p []byte) error {
			if err := before("write"); err != nil {
				_, _ = f.Write(p[:len(p)/2]) // a full disk takes a part
				return err
			}
			return sys.write(f, p)
		},
		copy: func(to, from *os.File) (int64, error) { return call2(before, "copy", sys.copy, to, from) },
		chown: func(f *os.File, uid, gid int) error {
			if err := before("chown"); err != nil {
				return err
			}
			return sys.chown(f, uid, gid)
		},
		chmod: func(f *os.File, mode fs.FileMode) error {
			if err := before("chmod"); err != nil {
				return err
			}
			return sys.chmod(f, mode)
		},
		xattrs: func(f *os.File) (map[string][]byte, error) { return call1(before, "xattrs", sys.xattrs, f) },
		setXattr: func(f *os.File, name string, value []byte) error {
			if err := before("setXattr"); err != nil {
				return err
			}
			return sys.setXattr(f, name, value)
		},
		removeXattr: func(f *os.File, name string) error {
			if err := before("removeXattr"); err != nil {
				return err
			}
			return sys.removeXattr(f, name)
		},
		sync: func(f *os.File) error {
			if err := before("sync"); err != nil {
				return err
			}
			return sys.sync(f)
		},
		beside: func(f func() error) func() error { // in an order that is the same every time
			err := f()
			return func() error { return err }
		},
		close: func(f *os.File) error {
			err := sys.close(f)
			if failure := before("close"); failure != nil {
				return failure
			}
			return err
		},
	}
}

func call1[A, R any](before func(string) error, name string, call func(A) (R, error), a A) (R, error) {
	if err := before(name); err != nil {
		var none R
		return none, err
	}
	return call(a)
}

func call2[A, B, R any](before func(string) error, name string, call func(A, B) (R, error), a A, b B) (R, error) {
	if err := before(name); err != nil {
		var none R
		return none, err
	}
	return call(a, b)
}
