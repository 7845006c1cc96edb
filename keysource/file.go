package keysource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/redact"
)

// File is a key file. The file is opened once for each reading and its permissions are checked on the
// open descriptor. A pipe, a process substitution or /dev/fd/N serves as well; since it can be read
// only once, its passphrase is kept, as two random shares in locked memory, until Close.
//
// No reading waits longer than its context lives: neither for the writer of a pipe, nor for another reading.
type File struct {
	redact.Value
	path     string
	replaces *string // the key that this one is to replace, see NewReplacement

	turn    chan struct{} // has an element while somebody reads the file
	mu      sync.Mutex    // guards what follows
	once    *lockedmem.Split
	users   int  // callers that use once
	closed  bool // once is destroyed by the last of them
	regular bool // it has been a regular file, so a pipe in its place is no key
}

// NewFile returns the source for the key file at path. Nothing is read yet.
func NewFile(path string) *File { return &File{path: path, turn: make(chan struct{}, 1)} }

// NewReplacement returns the source for the key file at path that is to take the place of the one at oldPath ("" where
// that is no file). Its readings fail with [ErrForeign] unless it, and every link that leads to it, belongs to
// the owner of that one, to the caller or to root: whoever else owns it may know it. A descriptor (/dev/fd/N) was
// opened by the caller, and is accepted.
func NewReplacement(path, oldPath string) *File {
	f := NewFile(path)
	f.replaces = &oldPath
	return f
}

// String returns the path.
func (f *File) String() string { return f.path }

// Close wipes what was kept of a pipe, behind the last use of it that is under way. It may be called again.
func (f *File) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.wipeUnused()
}

func (f *File) wipeUnused() {
	if f.closed && f.users == 0 {
		f.once.Destroy()
		f.once = nil
	}
}

// Passphrase implements [Source]. Errors wrap [ErrStat], [ErrPermissive], [ErrEmpty] or [ErrTooLarge] and
// name the file, or are the context's.
func (f *File) Passphrase(ctx context.Context, use func(passphrase []byte) error) error {
	buf, err := f.load(ctx)
	if err != nil {
		return err
	}
	if buf == nil {
		return f.useKept(use)
	}
	defer buf.Destroy()
	passphrase, err := f.trim(buf)
	if err != nil {
		return err
	}
	return use(passphrase)
}

// useKept calls use with what a pipe held.
func (f *File) useKept(use func(passphrase []byte) error) error {
	f.mu.Lock()
	kept := f.once
	if kept == nil {
		f.mu.Unlock()
		return statError(f.path, os.ErrClosed)
	}
	f.users++
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.users--
		f.wipeUnused()
	}()
	return kept.Use(use)
}

// load reads the file. What can be read only once is kept instead, and the result is nil then. A second
// caller waits for the first, so that it does not find a pipe empty.
func (f *File) load(ctx context.Context) (*lockedmem.Buffer, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.mu.Lock()
	kept, regular, drained := f.once != nil, f.regular, f.closed && !f.regular
	f.mu.Unlock()
	switch {
	case kept:
		return nil, nil
	case drained:
		return nil, statError(f.path, os.ErrClosed)
	}
	buf, rereadable, err := f.read(ctx, regular)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if rereadable {
		f.regular = true
		return buf, nil
	}
	defer buf.Destroy()
	passphrase, err := f.trim(buf)
	if err != nil {
		return nil, err
	}
	f.once, err = lockedmem.NewSplit(passphrase)
	return nil, err
}

// trim applies the reading rule, and names the file in the error.
func (f *File) trim(buf *lockedmem.Buffer) ([]byte, error) {
	passphrase, err := Passphrase(buf.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, f.path)
	}
	return passphrase, nil
}

// read returns the content of the key file, and whether it can be read again. With wasRegular a pipe is an error: it took
// the place of a key file.
func (f *File) read(ctx context.Context, wasRegular bool) (buf *lockedmem.Buffer, rereadable bool, err error) {
	file, info, err := f.open()
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if closeErr := file.Close(); err == nil && closeErr != nil {
			buf.Destroy()
			err = closeErr
		}
	}()
	if err := checkMode(file, f.path, info); err != nil {
		return nil, false, err
	}
	regular := info.Mode().IsRegular()
	if wasRegular && !regular {
		return nil, false, fmt.Errorf("%w: %s is no longer a regular file", ErrStat, f.path)
	}
	buf, err = readPassphrase(ctx, file, f.path)
	return buf, regular && !descriptor.Named(f.path), err
}

func (f *File) open() (*os.File, fs.FileInfo, error) {
	if f.replaces != nil && !descriptor.Named(f.path) {
		return ownersFor(*f.replaces).open(f.path)
	}
	file, err := descriptor.Open(f.path)
	if err != nil {
		return nil, nil, statError(f.path, err)
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close() // opened for reading only
		return nil, nil, statError(f.path, err)
	}
	return file, info, nil
}

// readPassphrase reads an open key file to its end.
func readPassphrase(ctx context.Context, f *os.File, path string) (*lockedmem.Buffer, error) {
	buf, err := lockedmem.ReadAll(descriptor.Reader(ctx, f), MaxBytes)
	switch {
	case errors.Is(err, lockedmem.ErrTooLarge):
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, path, MaxBytes)
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		return nil, statError(path, err)
	}
	return buf, nil
}

// statError is an ErrStat that names the file once.
func statError(path string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return fmt.Errorf("%w: %s: %w", ErrStat, path, err)
}
