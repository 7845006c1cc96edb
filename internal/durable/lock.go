package durable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// lockRetryDelay is the time between two tries for a lock that is held.
const lockRetryDelay = 10 * time.Millisecond

// FileLock is a lock that is held, until Unlock, the end of the process, or the moment when nothing refers to it any more.
type FileLock struct {
	path string
	file *os.File // the lock goes with its descriptor
}

// Path returns the path of the lock file.
func (l *FileLock) Path() string { return l.path }

// Unlock releases the lock; a second call does nothing. The lock file stays.
func (l *FileLock) Unlock() error {
	err := l.file.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return wrap("unlock", l.path, err)
}

// Lock takes the exclusive lock that guards path, a file that need not exist, and waits for it up to timeout; with a
// timeout of 0 or less it tries once. It excludes other processes and other callers in this one. The lock file is
// PATH.lock beside what the symbolic links of path lead to; it is made where it is missing, with mode 0600 and the owner
// and group of the file, and must be a regular file (ErrNotRegular).
//
// Errors match ErrLockTimeout; the error of ctx where that ends first; fs.ErrNotExist for a missing directory;
// ErrAttributes where the lock file would have to be made with an owner that this process cannot give it; fs.ErrPermission
// where the lock file belongs to somebody else, as it does after a change of owner of the file alone.
func Lock(ctx context.Context, path string, timeout time.Duration) (*FileLock, error) {
	return realSystem().lock(ctx, path, timeout)
}

func (sys *system) lock(ctx context.Context, path string, timeout time.Duration) (*FileLock, error) {
	resolved, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	dir, base, err := sys.openParent(resolved)
	if err != nil {
		return nil, err
	}
	defer dir.close()
	return sys.lockIn(ctx, dir, base, timeout)
}

// lockIn takes the lock that guards the file base of a directory.
func (sys *system) lockIn(ctx context.Context, dir *directory, base string, timeout time.Duration) (*FileLock, error) {
	path := dir.join(lockName(base))
	return waitForLock(ctx, path, timeout, func() (*os.File, error) {
		if err := sys.ensureLockFile(dir, base); err != nil {
			return nil, err
		}
		f, err := sys.tryLockIn(dir, base)
		return f, wrap("lock", path, err)
	})
}

// waitForLock tries until there is a locked file, or an error.
func waitForLock(ctx context.Context, path string, timeout time.Duration, try func() (*os.File, error)) (*FileLock, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, max(timeout, 0), ErrLockTimeout)
	defer cancel()
	for {
		if err := ctx.Err(); err != nil {
			return nil, wrap("lock", path, err)
		}
		f, err := try()
		if err != nil {
			return nil, err
		}
		if f != nil {
			return &FileLock{path: path, file: f}, nil
		}
		select {
		case <-time.After(lockRetryDelay):
		case <-waiting.Done():
			if ctx.Err() != nil {
				return nil, wrap("lock", path, ctx.Err())
			}
			return nil, fmt.Errorf("lock %s: %w (%v)", path, ErrLockTimeout, timeout)
		}
	}
}

// tryLockIn returns the lock file, locked, or nil where another holds the lock or the lock file was removed or exchanged
// meanwhile, so that whoever opens it now would not see this lock.
func (sys *system) tryLockIn(dir *directory, base string) (*os.File, error) {
	f, err := sys.openLock(dir, lockName(base))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	locked, err := sys.tryLock(f, true)
	if err == nil && locked {
		locked, err = sys.names(dir, lockName(base), f)
	}
	if err != nil || !locked {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

// ensureLockFile makes the lock file where it is missing. It gets its owner under a temporary name: a process killed
// between the two would otherwise leave a lock file that the owner of the vault cannot open. A lock file that exists is
// never given another owner, as it might be a hard link to any file.
func (sys *system) ensureLockFile(dir *directory, base string) error {
	name := lockName(base)
	info, err := sys.lstat(dir, name)
	switch {
	case err == nil && info.Mode().IsRegular():
		return sys.refuseForeignLock(dir, base, info)
	case err == nil:
		return wrap("lock", dir.join(name), ErrNotRegular)
	case !errors.Is(err, fs.ErrNotExist):
		return wrap("lock", dir.join(name), err)
	}
	tmp, err := sys.newTemp(dir, name)
	if err != nil {
		return err
	}
	if err := sys.openToOwner(tmp); err != nil {
		return sys.discard(tmp, wrap("create lock file", dir.join(name), err))
	}
	if err := sys.ownLike(tmp, base); err != nil {
		return sys.discard(tmp, err)
	}
	err = sys.place(tmp, name)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		_ = sys.discard(tmp, nil)
		return nil
	}
	if err != nil {
		return sys.discard(tmp, wrap("create lock file", dir.join(name), err))
	}
	return wrap("create lock file", dir.join(name), sys.closeTemp(tmp))
}

// openToOwner lets the owner of a new lock file open it, which the umask may have taken from him.
func (sys *system) openToOwner(tmp *temp) error {
	const lockMode = fs.FileMode(0o600)
	info, err := sys.stat(tmp.file)
	if err != nil || !enforcesMode || info.Mode().Perm() == lockMode {
		return err
	}
	return sys.chmod(tmp.file, lockMode)
}

// refuseForeignLock returns an ErrForeignOwner for a lock file that somebody may have made to keep others waiting: in a
// directory where every user may make files, one that is neither root's nor this process's, nor that of the owner of the
// directory or of the file it guards.
func (sys *system) refuseForeignLock(dir *directory, base string, lock fs.FileInfo) error {
	const othersWrite = fs.FileMode(0o002)
	uid, _, ok := ownerOf(lock)
	around, err := sys.stat(dir.file)
	if err != nil {
		return wrap("look at", dir.path, err)
	}
	if !ok || uid == 0 || uid == os.Geteuid() || around.Mode()&othersWrite == 0 {
		return nil
	}
	if owner, _, _ := ownerOf(around); owner == uid {
		return nil
	}
	if guarded, err := sys.lstat(dir, base); err == nil {
		if owner, _, _ := ownerOf(guarded); owner == uid {
			return nil
		}
	}
	return fmt.Errorf("%s: %w (number %d)", dir.join(lockName(base)), ErrForeignOwner, uid)
}

// ownLike gives the new lock file the owner and group of the file it guards, if that exists. With mode 0600 the group
// opens nothing to anybody, so that one that cannot be given is no reason to refuse.
func (sys *system) ownLike(tmp *temp, base string) error {
	guarded, err := sys.lstat(tmp.dir, base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var own fs.FileInfo
	if err == nil {
		own, err = sys.stat(tmp.file)
	}
	if err != nil {
		return wrap("create lock file for", tmp.dir.join(base), err)
	}
	want := attributes{}
	want.uid, want.gid, want.owned = ownerOf(guarded)
	err = sys.applyOwner(tmp.file, own, want)
	if uid, _, _ := ownerOf(own); err != nil && uid != want.uid {
		return fmt.Errorf("%w: %w", ErrAttributes, wrap("create lock file for", tmp.dir.join(base), err))
	}
	return nil
}
