package keysource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/followlinks"
)

// SuccessorSuffix is appended to a key file's path for the key that a rotation is about to put in its
// place.
const SuccessorSuffix = ".new"

// Successor calls use with the passphrase in the file that a rotation is about to rename to this one, if
// there is one: the path with SuccessorSuffix, or that of the file behind a symbolic link. It returns the path
// of the file that it used, "" where it used none. It makes a source of vaultfile's that keeps reading
// through a rotation.
//
// Whoever can put a file there would have vaults opened with a key that he knows. So a successor counts only
// if it is a regular file with one name, and it and every link that leads to it belong to the key's owner, the
// caller or root (see docs/threat-model.md). Anything else is as if it were not there: the path is "", and
// the error says why, wrapping [ErrForeign], [ErrPermissive] or [ErrStat]. It never waits for the writer of a pipe.
func (f *File) Successor(ctx context.Context, use func(passphrase []byte) error) (used string, err error) {
	if descriptor.Named(f.path) {
		return "", nil
	}
	believed := ownersFor(f.path)
	var refused error
	for _, path := range f.successorPaths() {
		used, err := useSuccessor(ctx, path, believed, use)
		switch {
		case used:
			return path, err
		case errors.Is(err, fs.ErrNotExist):
		case err != nil && refused == nil:
			refused = err
		}
	}
	return "", refused
}

// useSuccessor calls use with the passphrase in one file, and tells whether it did.
func useSuccessor(ctx context.Context, path string, believed owners, use func([]byte) error) (used bool, err error) {
	file, info, err := believed.open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }() // opened for reading only
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%w: %s is not a regular file", ErrStat, path)
	}
	if links(info) > 1 {
		return false, fmt.Errorf("%w: %s has a second name (a hard link)", ErrStat, path)
	}
	if err := checkMode(file, path, info); err != nil {
		return false, err
	}
	buf, err := readPassphrase(ctx, file, path)
	if err != nil {
		return false, err
	}
	defer buf.Destroy()
	passphrase, err := Passphrase(buf.Bytes())
	if err != nil {
		return false, fmt.Errorf("%w: %s", err, path)
	}
	return true, use(passphrase)
}

func (f *File) successorPaths() []string {
	paths := []string{f.path + SuccessorSuffix}
	if target, err := filepath.EvalSymlinks(f.path); err == nil && target+SuccessorSuffix != filepath.Clean(paths[0]) {
		paths = append(paths, target+SuccessorSuffix)
	}
	return paths
}

// open opens the file at path, which as every link that leads to it belongs to somebody believed.
func (o owners) open(path string) (*os.File, fs.FileInfo, error) {
	file, err := followlinks.Open(path, o.accept)
	switch {
	case errors.Is(err, ErrForeign):
		return nil, nil, err
	case err != nil:
		return nil, nil, statError(path, err)
	}
	info, err := file.Stat()
	if err != nil {
		err = statError(path, err)
	} else {
		err = o.accept(path, info)
	}
	if err != nil {
		_ = file.Close() // opened for reading only
		return nil, nil, err
	}
	return file, info, nil
}
