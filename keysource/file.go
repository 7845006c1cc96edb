package keysource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/redact"
)

// SuccessorSuffix is appended to a key file's path for the key that a rotation is about to put in its
// place.
const SuccessorSuffix = ".new"

// File is a key file. The file is opened once for each reading and its permissions are checked on the
// open descriptor. A pipe, a process substitution or /dev/fd/N serves as well; since it can be read
// only once, its passphrase is kept, as two random shares in locked memory, until Close.
type File struct {
	redact.Value
	path string

	mu   sync.Mutex
	once *lockedmem.Split // what a pipe held
}

// NewFile returns the source for the key file at path. Nothing is read yet.
func NewFile(path string) *File { return &File{path: path} }

// String returns the path.
func (f *File) String() string { return f.path }

// Close wipes what was kept of a pipe. It may be called again.
func (f *File) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.once.Destroy()
	f.once = nil
}

// Passphrase implements [Source]. Errors wrap [ErrStat], [ErrPermissive], [ErrEmpty] or
// [ErrTooLarge] and name the file.
func (f *File) Passphrase(_ context.Context, use func(passphrase []byte) error) error {
	buf, kept, err := f.load()
	if err != nil {
		return err
	}
	if kept != nil {
		return kept.Use(use)
	}
	defer buf.Destroy()
	passphrase, err := f.trim(buf)
	if err != nil {
		return err
	}
	return use(passphrase)
}

// load reads the file into buf. What can be read only once is kept instead, and buf is nil then. The
// lock is held meanwhile, so that a second caller waits for the first and does not find a pipe empty.
func (f *File) load() (buf *lockedmem.Buffer, kept *lockedmem.Split, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.once != nil {
		return nil, f.once, nil
	}
	buf, rereadable, err := readKeyFile(f.path)
	if err != nil || rereadable {
		return buf, nil, err
	}
	defer buf.Destroy()
	passphrase, err := f.trim(buf)
	if err != nil {
		return nil, nil, err
	}
	f.once, err = lockedmem.NewSplit(passphrase)
	return nil, f.once, err
}

// trim applies the reading rule, and names the file in the error.
func (f *File) trim(buf *lockedmem.Buffer) ([]byte, error) {
	passphrase, err := Passphrase(buf.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, f.path)
	}
	return passphrase, nil
}

// Successor calls use with the passphrase in the file that a rotation is about to rename to this one,
// if there is one: the path with SuccessorSuffix, or that of the file behind a symbolic link. It
// makes a source of vaultfile's that keeps reading through a rotation. Only a regular file counts: a
// pipe of that name would hold up every reader whose key is wrong.
func (f *File) Successor(ctx context.Context, use func(passphrase []byte) error) (found bool, err error) {
	for _, path := range f.successorPaths() {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			continue
		}
		next := NewFile(path)
		err := next.Passphrase(ctx, use)
		next.Close()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return true, err
	}
	return false, nil
}

func (f *File) successorPaths() []string {
	paths := []string{f.path + SuccessorSuffix}
	if target, err := filepath.EvalSymlinks(f.path); err == nil && target+SuccessorSuffix != filepath.Clean(paths[0]) {
		paths = append(paths, target+SuccessorSuffix)
	}
	return paths
}

// readKeyFile returns the content of the key file at path, and whether it can be read again.
func readKeyFile(path string) (buf *lockedmem.Buffer, rereadable bool, err error) {
	f, err := descriptor.Open(path)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrStat, err)
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			buf.Destroy()
			err = closeErr
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrStat, err)
	}
	if err := checkMode(path, info.Mode()); err != nil {
		return nil, false, err
	}
	buf, err = lockedmem.ReadAll(f, MaxBytes)
	if errors.Is(err, lockedmem.ErrTooLarge) {
		return nil, false, fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, path, MaxBytes)
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrStat, err)
	}
	return buf, info.Mode().IsRegular() && !descriptor.Named(path), nil
}

// PermissiveError is the detail of an [ErrPermissive].
type PermissiveError struct {
	Path string
	Mode fs.FileMode // permission bits only
}

func (e *PermissiveError) Error() string {
	return fmt.Sprintf("%v: %s has mode %04o", ErrPermissive, e.Path, e.Mode)
}

// Unwrap makes the error match [ErrPermissive].
func (e *PermissiveError) Unwrap() error { return ErrPermissive }

// othersMask are the permissions that nobody but a key file's owner may have.
const othersMask fs.FileMode = 0o077

func checkMode(path string, mode fs.FileMode) error {
	switch {
	case mode.IsDir():
		return fmt.Errorf("%w: %s is a directory", ErrStat, path)
	case runtime.GOOS == "windows":
		return nil // permission bits mean nothing there
	case mode&fs.ModeSocket != 0:
		return nil // nor on a socket, which only its holder can have opened; some programs start others with one as stdin
	case mode.Perm()&othersMask != 0:
		return &PermissiveError{Path: path, Mode: mode.Perm()}
	}
	return nil
}
