package posixacl

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// OfFile returns the list of an open file, nil where it has none.
func OfFile(f *os.File) (List, error) {
	return get(func(dest []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), Attribute, dest) })
}

// OfPath is OfFile for what is at path, behind symbolic links. It need not be readable.
func OfPath(path string) (List, error) {
	return get(func(dest []byte) (int, error) { return unix.Getxattr(path, Attribute, dest) })
}

func get(read func([]byte) (int, error)) (List, error) {
	var raw [maxBytes]byte
	n, err := read(raw[:])
	if errors.Is(err, unix.ENODATA) || errors.Is(err, errors.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return Parse(raw[:n])
}
