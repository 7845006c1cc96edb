package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReplaceOptions adjust Replace. The hooks may be nil; an error of either is returned (wrapped) and nothing changes.
type ReplaceOptions struct {
	// Verify is given the temporary file, opened anew and read-only, with its final attributes, while it is being synced.
	Verify func(f *os.File) error

	// Check is given the old file, open for reading at its beginning, to find out whether the ground for the change
	// still holds: last before the rename, and once more behind it, when nobody can open the old file at the path any more.
	// If it fails then, the old file is put back. To read the path again instead would not do: it may lead to another
	// file by now.
	Check func(old *os.File) error

	// NoWriters makes it ErrChanged if another process still has the old file open for writing behind the rename: what it
	// wrote would be lost. Only Linux tells, and only to the file's owner.
	NoWriters bool

	// Remove makes it ErrLeftBehind if the old file cannot be removed behind the change: it holds what is to be gone.
	Remove bool

	// Mode, unless it is 0, holds the permission bits that the new file gets instead of the old one's.
	Mode fs.FileMode

	// Swept says that the caller has just called Sweep for the path, so that the directory need not be listed again.
	Swept bool
}

// checkOld runs Check.
func (o ReplaceOptions) checkOld(old *os.File) error {
	if o.Check == nil {
		return nil
	}
	if _, err := old.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return o.Check(old)
}

// checkReplaced runs Check on a file that has lost its name.
func (sys *system) checkReplaced(old *os.File, o ReplaceOptions) error {
	if o.NoWriters && sys.writers(old) {
		return fmt.Errorf("%w: another process has it open for writing", ErrChanged)
	}
	return o.checkOld(old)
}

// content is what a new file gets.
type content struct {
	fill       func(f *os.File) error
	attributes attributes
	verify     func(f *os.File) error
}

// The system calls of a Replace on Linux where nothing fails, in order, without those that only look (dir is the directory,
// opened once, and every name is taken relative to it):
//
//	getdents64(dir)                                          left-overs of killed processes, which are removed
//	flock(old, LOCK_SH)                                      keeps the old file, once it has a temporary name, from being swept
//	openat(dir, TEMP, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW, 0600)
//	flock(new, LOCK_EX)                                      tells others that its maker lives
//	write(new)
//	fchown, fsetxattr, fchmod(new)                           only what differs
//	fsync(new)                                               in a thread of its own, beside the next
//	openat(dir, TEMP, O_RDONLY|O_NOFOLLOW)                   for Verify; then, both done, Check reads the old file
//	renameat2(dir, TEMP, dir, NAME, RENAME_EXCHANGE)         now NAME is the new file and TEMP the old one
//	newfstatat(dir, NAME), newfstatat(dir, TEMP)             are they the files that they are meant to be?
//	fcntl(old, F_SETLEASE)                                   with NoWriters; then Check reads the old file once more
//	fsync(dir)
//	close(new)
//	unlinkat(dir, TEMP)

// Replace puts data in the place of the content of path, which must be a regular file, reached directly or through
// symbolic links. The file keeps owner, group, mode and extended attributes. On an error the old file stands as it was;
// see ErrUnconfirmed for the exception. Errors match fs.ErrNotExist, fs.ErrPermission, ErrNotRegular, ErrMountPoint,
// ErrAttributes, ErrChanged, ErrUnconfirmed, what the hooks return, or the error number of the system call, for example
// syscall.ENOSPC. Replace takes no lock.
func Replace(path string, data []byte, o ReplaceOptions) error {
	return realSystem().replace(path, data, o)
}

func (sys *system) replace(path string, data []byte, o ReplaceOptions) error {
	resolved, err := Resolve(path)
	if err != nil {
		return err
	}
	t, err := sys.openReplaceable(resolved)
	if err != nil {
		return err
	}
	defer t.close()
	c := content{
		fill:   func(f *os.File) error { return sys.write(f, data) },
		verify: o.Verify,
	}
	if c.attributes, err = sys.readAttributes(t.file, t.path); err != nil {
		return err
	}
	if o.Mode != 0 {
		c.attributes.mode = o.Mode.Perm()
	}
	return sys.replaceTarget(t, c, o)
}

// replaceTarget puts a new file in the place of t.
func (sys *system) replaceTarget(t *target, c content, o ReplaceOptions) error {
	if !o.Swept {
		_ = sys.sweep(t.dir, t.base) // what it cannot remove does not stand in the way
	}
	return sys.swap(t, c, o)
}

// swap is replaceTarget without a look for temporary files that were left behind.
func (sys *system) swap(t *target, c content, o ReplaceOptions) error {
	// From the exchange to the end the old file bears a temporary name; the lock keeps it from being swept. Where it is
	// refused, somebody else holds it, which serves as well.
	_, _ = sys.tryLock(t.file, false)
	tmp, err := sys.stage(t.dir, t.base, c)
	if err != nil {
		return err
	}
	if err := o.checkOld(t.file); err != nil {
		return sys.discard(tmp, fmt.Errorf("replace %s: %w", t.path, err))
	}
	err = sys.exchange(t.dir, tmp.name, t.base)
	if err == nil {
		return sys.settleExchange(t, tmp, o)
	}
	if unsupported(err) {
		return sys.replaceByRename(t, tmp, o)
	}
	return sys.discard(tmp, wrapRename("replace", t.path, err))
}

// stage makes a temporary file with its final content and attributes, synced and verified.
func (sys *system) stage(dir *directory, base string, c content) (_ *temp, err error) {
	tmp, err := sys.newTemp(dir, base)
	if err != nil {
		return nil, err
	}
	staged := false
	defer func() { // runs for a panic of verify as well
		if !staged {
			err = sys.discard(tmp, err)
		}
	}()
	if err := c.fill(tmp.file); err != nil {
		return nil, wrap("write temporary file in", dir.path, err)
	}
	if err := sys.apply(tmp, c.attributes); err != nil {
		return nil, err
	}
	if err := sys.syncAndVerify(tmp, c.verify); err != nil {
		return nil, err
	}
	staged = true
	return tmp, nil
}

// syncAndVerify has the content read back and compared while the disk takes its time. Both are done, and waited for, before the
// file gets its name.
func (sys *system) syncAndVerify(tmp *temp, verify func(*os.File) error) error {
	sync := func() error { return wrap("sync temporary file in", tmp.dir.path, sys.sync(tmp.file)) }
	if verify == nil {
		return sync()
	}
	wait := sys.beside(sync)
	waited := false
	defer func() { // for a panic of verify
		if !waited {
			_ = wait()
		}
	}()
	verifyErr := sys.verify(tmp, verify)
	waited = true
	if err := wait(); err != nil {
		return err
	}
	return verifyErr
}

func (sys *system) verify(tmp *temp, verify func(*os.File) error) error {
	f, err := sys.open(tmp.dir, tmp.name)
	if err != nil {
		return wrap("re-open temporary file in", tmp.dir.path, err)
	}
	defer f.Close() // read-only: nothing to report
	if err := sys.sameFile(f, tmp.file); err != nil {
		return wrap("re-open temporary file in", tmp.dir.path, err)
	}
	if err := verify(f); err != nil {
		return fmt.Errorf("verify temporary file in %s: %w", tmp.dir.path, err)
	}
	return nil
}

// sameFile returns ErrChanged unless the two descriptors are of one file.
func (sys *system) sameFile(a, b *os.File) error {
	infoA, err := sys.stat(a)
	if err != nil {
		return err
	}
	infoB, err := sys.stat(b)
	if err == nil && !os.SameFile(infoA, infoB) {
		err = ErrChanged
	}
	return err
}

// settleExchange makes an exchange durable, or takes it back. Until it is durable the old file keeps a name, so that it
// can be put back whatever fails.
func (sys *system) settleExchange(t *target, tmp *temp, o ReplaceOptions) error {
	failure := sys.settle(t, tmp, func() error {
		// A file that another process put at the path since it was opened is not ours to remove.
		same, err := sys.names(t.dir, tmp.name, t.file)
		switch {
		case err != nil:
			return err
		case !same:
			return ErrChanged
		}
		return sys.checkReplaced(t.file, o)
	})
	if failure == nil {
		return sys.removeOld(t, tmp.name, o)
	}
	return sys.exchangeBack(t, tmp, failure)
}

// removeOld removes the old file under its temporary name. The change is made; a name that stays behind goes with the next sweep.
func (sys *system) removeOld(t *target, name string, o ReplaceOptions) error {
	if err := sys.unlink(t.dir, name); err != nil && o.Remove {
		return fmt.Errorf("replace %s: %w: it is %s (%w)", t.path, ErrLeftBehind, t.dir.join(name), cause(err))
	}
	return nil
}

// exchangeBack undoes an exchange, unless another program has put a file at the path behind it: that one stands.
func (sys *system) exchangeBack(t *target, tmp *temp, failure error) error {
	ours, err := sys.isEntry(t.dir, t.base, tmp.info)
	if err == nil && ours {
		if err = sys.exchange(t.dir, tmp.name, t.base); err == nil {
			if ours, err = sys.isEntry(t.dir, tmp.name, tmp.info); err == nil && ours {
				return sys.discard(tmp, sys.confirmRestored(t.dir, failure))
			}
			// It came between the look and the exchange, which is undone in its turn.
			err = errors.Join(err, sys.exchange(t.dir, tmp.name, t.base))
		}
	}
	_ = sys.closeTemp(tmp) // failed before, or is not what failed
	if err != nil {
		return unconfirmed(failure, err)
	}
	return sys.setAside(t, tmp.name, failure)
}

// setAside gives the old file, which has a temporary name, one that no sweep removes, because the path is another program's
// now and nobody knows which of the two is wanted.
func (sys *system) setAside(t *target, name string, failure error) error {
	kept := asideName(t.base)
	if err := sys.rename(t.dir, name, kept); err != nil {
		kept = name
	}
	return fmt.Errorf("replace %s: %w: another program has put a file there, which stands; the one from before is %s now (%w)",
		t.path, ErrChanged, t.dir.join(kept), failure)
}

// settle makes sure of a new file that has just got its name, syncs the directory and closes the file.
func (sys *system) settle(t *target, tmp *temp, check func() error) error {
	ours, err := sys.isEntry(t.dir, t.base, tmp.info)
	if err == nil && !ours { // the temporary file was exchanged before, or the path was since
		err = ErrChanged
	}
	if err == nil {
		err = check()
	}
	if err != nil {
		return wrap("replace", t.path, err)
	}
	if err := sys.syncDir(t.dir); err != nil {
		return wrap("sync directory", t.dir.path, err)
	}
	return wrap("close", t.path, sys.closeTemp(tmp))
}

// replaceByRename serves where two files cannot be exchanged. A second, temporary name for the old file allows it to be
// put back; where the file system has no hard links either, a failure after the rename is ErrUnconfirmed.
func (sys *system) replaceByRename(t *target, tmp *temp, o ReplaceOptions) error {
	spare := tempName(t.base)
	if err := sys.link(t.dir, t.base, spare); err != nil {
		spare = ""
	}
	if err := sys.rename(t.dir, tmp.name, t.base); err != nil {
		if spare != "" {
			_ = sys.unlink(t.dir, spare)
		}
		return sys.discard(tmp, wrapRename("replace", t.path, err))
	}
	failure := sys.settle(t, tmp, func() error {
		if spare == "" {
			return nil // there is no way back, whatever has changed
		}
		return sys.checkReplaced(t.file, o)
	})
	switch {
	case failure == nil && spare != "":
		return sys.removeOld(t, spare, o)
	case failure == nil:
		return nil
	}
	return sys.renameBack(t, tmp, spare, failure)
}

// renameBack undoes a rename, as exchangeBack does an exchange.
func (sys *system) renameBack(t *target, tmp *temp, spare string, failure error) error {
	_ = sys.closeTemp(tmp) // failed before, or is not what failed
	if spare == "" {
		return unconfirmed(failure, errors.New("the file system offers no way back"))
	}
	ours, err := sys.isEntry(t.dir, t.base, tmp.info)
	if err == nil && !ours {
		return sys.setAside(t, spare, failure)
	}
	if err == nil {
		err = sys.rename(t.dir, spare, t.base)
	}
	if err != nil {
		return unconfirmed(failure, err)
	}
	return sys.confirmRestored(t.dir, failure)
}
