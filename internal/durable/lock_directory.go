package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// LockItself takes an exclusive lock on the directory of the tree, without a file in it, and waits for it as Lock does. It
// is for a directory that holds nothing but what its users made, and that only those may open: whoever may read a
// directory can lock it. Where the file system cannot lock directories, as NFS cannot, the error matches
// errors.ErrUnsupported; the other errors are those of Lock.
func (t *Tree) LockItself(ctx context.Context, timeout time.Duration) (*FileLock, error) {
	path := t.top.path
	f, err := t.top.root.Open(".") // of its own, because the lock goes with it
	if err != nil {
		return nil, wrap("lock", path, err)
	}
	l, err := waitForLock(ctx, path, timeout, func() (*os.File, error) {
		switch locked, err := t.sys.tryLock(f, true); {
		case errors.Is(err, syscall.EBADF), errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOLCK), errors.Is(err, errors.ErrUnsupported):
			return nil, fmt.Errorf("lock %s: %w (%w)", path, errors.ErrUnsupported, err)
		case err != nil:
			return nil, wrap("lock", path, err)
		case locked:
			return f, nil
		}
		return nil, nil
	})
	if err != nil {
		_ = f.Close() // nothing was written
	}
	return l, err
}
