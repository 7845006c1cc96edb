package durable

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// Keep copies the file at path to path+suffix, durably and with its attributes, before it is replaced
// or removed. An earlier copy of another content is not lost: it moves to the first free name of
// path+suffix+".1", ".2" and so on. A copy of the same content stays as it is.
func Keep(path, suffix string) error {
	kept := path + suffix
	switch same, err := realSystem().sameContent(path, kept); {
	case errors.Is(err, fs.ErrNotExist):
		return Backup(path, kept)
	case err != nil || same:
		return err
	}
	older, err := firstFree(kept)
	if err != nil {
		return err
	}
	if err := Rename(kept, older); err != nil {
		return err
	}
	return Backup(path, kept)
}

// firstFree returns the first of path+".1", path+".2" and so on that does not exist.
func firstFree(path string) (string, error) {
	for n := 1; ; n++ {
		numbered := path + "." + strconv.Itoa(n)
		_, err := os.Lstat(numbered)
		if errors.Is(err, fs.ErrNotExist) {
			return numbered, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// sameContent compares the file at path with the copy kept of it, byte for byte. As for Backup, links are followed for path
// only, and what is no regular file is not opened: a pipe of that name would hold up whoever reads it.
func (sys *system) sameContent(path, kept string) (bool, error) {
	a, err := sys.openTarget(path)
	if err != nil {
		return false, err
	}
	defer a.close()
	b, err := sys.openResolved(kept)
	if err != nil {
		return false, err
	}
	defer b.close()

	var bufA, bufB [32 << 10]byte
	defer clear(bufA[:]) // a key file may have passed through
	defer clear(bufB[:])
	for {
		n, errA := io.ReadFull(a.file, bufA[:])
		m, errB := io.ReadFull(b.file, bufB[:])
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		for _, err := range []error{errA, errB} {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return true, nil
			}
			if err != nil {
				return false, err
			}
		}
	}
}
