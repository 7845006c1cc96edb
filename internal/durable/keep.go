package durable

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strconv"
)

// Keep copies the file at path to path+suffix, durably and with its attributes, before it is replaced
// or removed, and returns the name of the copy. An earlier copy of another content is not lost: it moves to the
// first free name of path+suffix+".1", ".2" and so on. Where one of these has the same content no copy is made, and
// its name is returned. A mode other than 0 is the copy's instead of the file's.
func Keep(path, suffix string, mode fs.FileMode) (kept string, err error) {
	return realSystem().keep(path, suffix, mode)
}

func (sys *system) keep(path, suffix string, mode fs.FileMode) (kept string, err error) {
	kept = path + suffix
	free, same, err := sys.findKept(path, kept)
	if err != nil || same != "" {
		return same, err
	}
	if free != "" {
		if err := sys.renameFile(kept, free); err != nil {
			return "", notOfPath(err)
		}
	}
	if err := sys.backup(path, kept, mode); err != nil {
		return "", notOfPath(err)
	}
	return kept, nil
}

// notOfPath makes an ErrUnconfirmed about a copy an ordinary error: the file that was to be kept is as it was, and a caller
// that asks for ErrUnconfirmed or InPlace means that file. The cause stays, for errors.Is.
func notOfPath(err error) error {
	if !errors.Is(err, ErrUnconfirmed) {
		return err
	}
	return &copyError{err}
}

// copyError is an ErrUnconfirmed of a copy.
type copyError struct{ err error }

func (e *copyError) Error() string { return "keep a copy: " + e.err.Error() }

// Is finds what caused the error. It is no Unwrap, which would find ErrUnconfirmed too.
func (e *copyError) Is(target error) bool {
	return target != ErrUnconfirmed && target != ErrRestored && errors.Is(e.err, target)
}

// findKept looks through the copies that there are: the name of one with the content of path, or else, where kept
// is taken, the first free numbered name.
func (sys *system) findKept(path, kept string) (free, same string, err error) {
	for n := 0; ; n++ {
		name := kept
		if n > 0 {
			name += "." + strconv.Itoa(n)
		}
		equal, err := sys.sameContent(path, name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && n == 0:
			return "", "", nil
		case errors.Is(err, fs.ErrNotExist):
			return name, "", nil
		case err != nil && n == 0:
			return "", "", err
		case err == nil && equal:
			return "", name, nil
		}
	}
}

// SameContent compares the file at path with another, byte for byte. Links are followed for path only. What it reads is erased.
func SameContent(path, other string) (bool, error) { return realSystem().sameContent(path, other) }

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
