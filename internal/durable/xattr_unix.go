//go:build linux || darwin

package durable

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readXattrs returns every extended attribute of f that the process can see, by name.
func readXattrs(f *os.File) (map[string][]byte, error) {
	fd := int(f.Fd())
	list, err := readSized(func(p []byte) (int, error) { return unix.Flistxattr(fd, p) })
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, nil
	}
	if err != nil || len(list) == 0 {
		return nil, err
	}
	values := make(map[string][]byte)
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		value, err := readSized(func(p []byte) (int, error) { return unix.Fgetxattr(fd, name, p) })
		if err != nil {
			return nil, wrap("read extended attribute", name, err)
		}
		values[name] = value
	}
	return values, nil
}

// readSized calls read with nothing to learn the size, then with a buffer of that size, and again where the size has
// grown between the two.
func readSized(read func([]byte) (int, error)) ([]byte, error) {
	var buffer []byte
	for {
		var n int
		err := ignoringEINTR(func() (err error) { n, err = read(buffer); return err })
		switch {
		case errors.Is(err, unix.ERANGE):
			buffer = nil
		case err != nil:
			return nil, err
		case n <= len(buffer):
			return buffer[:n], nil
		default:
			buffer = make([]byte, n)
		}
	}
}

func setXattr(f *os.File, name string, value []byte) error {
	return ignoringEINTR(func() error { return unix.Fsetxattr(int(f.Fd()), name, value, 0) })
}

func removeXattr(f *os.File, name string) error {
	return ignoringEINTR(func() error { return unix.Fremovexattr(int(f.Fd()), name) })
}

// isKernelXattr reports whether the kernel writes the attribute by itself, from the content or the origin of the file,
// so that the value of another file would be wrong: the integrity measurements of Linux and the origin that macOS notes.
func isKernelXattr(name string) bool {
	switch name {
	case "security.ima", "security.evm", "com.apple.provenance":
		return true
	}
	return false
}
