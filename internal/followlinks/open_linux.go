package followlinks

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// open goes from descriptor to descriptor, so that nobody can exchange a link between the question and the step.
func open(path string, accept func(path string, info os.FileInfo) error) (*os.File, error) {
	start, steps := splitPath(path)
	at, err := openStep(unix.AT_FDCWD, start)
	if err != nil {
		return nil, pathError(path, err)
	}
	defer func() { _ = at.Close() }() // a place only
	for followed := 0; ; {
		if len(steps) == 0 { // the root, or the working directory
			return openFile(at, ".", path)
		}
		step := steps[0]
		steps = steps[1:]
		next, err := openStep(int(at.Fd()), step)
		if err != nil {
			return nil, pathError(path, err)
		}
		info, err := next.Stat()
		if err == nil && info.Mode()&os.ModeSymlink == 0 {
			if len(steps) == 0 {
				_ = next.Close()
				return openFile(at, step, path)
			}
			_ = at.Close()
			at = next
			continue
		}
		var target string
		if err == nil {
			target, err = linkTarget(next)
		}
		_ = next.Close()
		if err != nil {
			return nil, pathError(path, err)
		}
		if err := accept(linkName(path, step), info); err != nil {
			return nil, err
		}
		if followed++; followed > maxLinks {
			return nil, pathError(path, unix.ELOOP)
		}
		start, before := splitPath(target)
		steps = append(before, steps...)
		if start != "." {
			root, err := openStep(unix.AT_FDCWD, start)
			if err != nil {
				return nil, pathError(path, err)
			}
			_ = at.Close()
			at = root
		}
	}
}

// linkName is how a message names a link that is met on the way to path.
func linkName(path, step string) string {
	if filepath.Base(path) == step {
		return path
	}
	return fmt.Sprintf("%s (the link %s on the way)", path, step)
}

// openStep opens one name as a place: for no reading, and a link as the link itself.
func openStep(at int, name string) (*os.File, error) {
	for {
		fd, err := unix.Openat(at, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err == nil {
			return os.NewFile(uintptr(fd), name), nil
		}
		if err != unix.EINTR {
			return nil, err
		}
	}
}

// linkTarget reads the link that is open as a place.
func linkTarget(link *os.File) (string, error) {
	var target [unix.PathMax]byte
	n, err := unix.Readlinkat(int(link.Fd()), "", target[:])
	if err != nil {
		return "", err
	}
	return string(target[:n]), nil
}

// openFile opens the last step for reading. A link that has taken the place of what was there is an error.
func openFile(at *os.File, name, path string) (*os.File, error) {
	for {
		fd, err := unix.Openat(int(at.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err == nil {
			return os.NewFile(uintptr(fd), path), nil
		}
		if err != unix.EINTR {
			return nil, pathError(path, err)
		}
	}
}
