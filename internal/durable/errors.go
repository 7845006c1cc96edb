package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

var (
	// ErrNotRegular is returned for a path that names something other than a regular file, such as a directory, a
	// device, or (where no link is followed) a symbolic link.
	ErrNotRegular = errors.New("not a regular file")

	// ErrMountPoint is returned for a file that is itself a mount point, as a file bound into a container is: nothing
	// can be renamed over it. Mounting its directory instead is the way out.
	ErrMountPoint = errors.New("file is a mount point")

	// ErrAttributes is returned when the owner, the group, the mode or an extended attribute of a file cannot be
	// given to the file that is to take its place.
	ErrAttributes = errors.New("cannot keep file attributes")

	// ErrChanged is returned when the file at the path was exchanged for another, or changed its size, while it was
	// being replaced or copied. What the other process put there stands.
	ErrChanged = errors.New("file changed meanwhile")

	// ErrUnconfirmed is returned when the sync of the directory failed: after a power cut the path may hold the old
	// content or the new one, whole. Until then the new content is in place, unless the error matches ErrRestored too.
	ErrUnconfirmed = errors.New("not confirmed durable")

	// ErrRestored is an ErrUnconfirmed where the change was taken back, but the sync after that failed as well.
	ErrRestored = fmt.Errorf("the old state is back in place, but %w", ErrUnconfirmed)

	// ErrLeftBehind is returned where the new content is in place, durably, and the old file could not be removed, which was asked for:
	// it has a temporary name, and goes with the next sweep that can.
	ErrLeftBehind = errors.New("the old content was not removed")

	// ErrForeignOwner is returned for a directory, a lock file or a dangling link of a user who could use it against this
	// process's.
	ErrForeignOwner = errors.New("belongs to another user")

	// ErrLockTimeout is returned by Lock when another process held the lock for the whole of the time allowed.
	ErrLockTimeout = errors.New("lock not obtained in time")
)

// MissingDirectoryError says which directory a file cannot be opened or made in, because it is not there. It matches fs.ErrNotExist.
type MissingDirectoryError struct {
	Path string
	Err  error
}

func (e *MissingDirectoryError) Error() string {
	return "open directory " + e.Path + ": " + e.Err.Error()
}

func (e *MissingDirectoryError) Unwrap() error { return e.Err }

// InPlace tells whether the new content is at the path, given the error of the call that was to put it there.
func InPlace(err error) bool {
	return err == nil || errors.Is(err, ErrLeftBehind) || errors.Is(err, ErrUnconfirmed) && !errors.Is(err, ErrRestored)
}

// unconfirmed reports a failure after which the old content could not be put back.
func unconfirmed(failure, back error) error {
	return fmt.Errorf("new content is in place, but %w: %w (restoring the old state: %w)", ErrUnconfirmed, failure, cause(back))
}

// confirmRestored syncs the directory after a change was taken back because of failure, which it returns. It
// matches ErrRestored where this sync fails: the change itself may have reached the disk, its undoing not.
func (sys *system) confirmRestored(dir *directory, failure error) error {
	if err := sys.syncDir(dir); err != nil {
		return fmt.Errorf("%w: %w", ErrRestored, failure)
	}
	return failure
}

// wrap adds the operation and the path to err, in place of the names of system calls and temporary files that the os
// package adds. It returns nil for nil.
func wrap(operation, path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", operation, path, cause(err))
}

// cause strips the wrappings of the os package, which repeat what wrap says or name system calls.
func cause(err error) error {
	for {
		switch e := err.(type) {
		case *fs.PathError:
			err = e.Err
		case *os.LinkError:
			err = e.Err
		case *os.SyscallError:
			err = e.Err
		default:
			return err
		}
	}
}

// wrapRename is wrap for an operation that puts a file at path: the kernel answers EBUSY where path is a mount point.
func wrapRename(operation, path string, err error) error {
	if errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("%s %s: %w: %w", operation, path, ErrMountPoint, cause(err))
	}
	return wrap(operation, path, err)
}

// unsupported reports whether err says that this kernel or file system does not offer the operation at all. EPERM is
// one of these answers: hard links on FAT give it, and so do sandboxes for system calls they do not know. Whoever falls
// back on a plainer operation meets a real EPERM again there.
func unsupported(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EPERM)
}
