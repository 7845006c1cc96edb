// Package editing lets somebody change secrets in an editor: a private directory in memory that leaves nothing behind, a text that an editor
// can show, and the finding of the editor.
package editing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mazevault/vault-tool/internal/memoryfs"
	"github.com/mazevault/vault-tool/internal/owner"
)

// ErrNoMemory: there is no file system in memory to edit on.
var ErrNoMemory = errors.New("no file system in memory was found to edit on")

const (
	directoryPrefix = "vault-tool-edit-"
	directoryMode   = fs.FileMode(0o700)
	fileMode        = fs.FileMode(0o600)
)

// Directory is a directory that belongs to this process and its editor alone.
type Directory struct {
	path string
	hold *os.File // locked, so that no other process takes it for left behind
}

// NewDirectory makes a directory on a file system in memory, or with allowDisk on any. Those that killed processes of this user have left
// behind are wiped. The error wraps ErrNoMemory, or is the system's.
func NewDirectory(getenv func(string) string, allowDisk bool) (*Directory, error) {
	var places []string
	for _, place := range []string{getenv("XDG_RUNTIME_DIR"), "/dev/shm", "/run/user/" + strconv.Itoa(os.Getuid()), os.TempDir()} {
		if filepath.IsAbs(place) && inMemory(place) {
			places = append(places, place)
		}
	}
	if allowDisk {
		places = append(places, os.TempDir())
	}
	var problem error = ErrNoMemory
	for _, place := range places {
		sweep(place)
		path, err := os.MkdirTemp(place, directoryPrefix)
		if err != nil {
			problem = err
			continue
		}
		if err := os.Chmod(path, directoryMode); err != nil { // it has it already, unless the umask takes the owner's rights
			return nil, errors.Join(err, os.Remove(path))
		}
		hold, err := holdDirectory(path)
		if err != nil {
			return nil, errors.Join(err, os.Remove(path))
		}
		return &Directory{path, hold}, nil
	}
	return nil, problem
}

func inMemory(place string) bool {
	dir, err := os.Open(place)
	if err != nil {
		return false
	}
	defer dir.Close() // opened for reading only
	in, err := memoryfs.Holds(dir)
	return err == nil && in
}

// Path is the directory's.
func (d *Directory) Path() string { return d.path }

// Write makes or replaces a file of mode 0600, and returns its path.
func (d *Directory) Write(name string, content []byte) (path string, err error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return "", err
	}
	defer root.Close() // opened for a look only
	if err := wipeFile(root, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	path = filepath.Join(d.path, name)
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return "", err
	}
	if err = f.Chmod(fileMode); err == nil { // likewise
		_, err = f.Write(content)
	}
	return path, errors.Join(err, f.Close())
}

// Close overwrites and removes all files, whoever made them, and the directory.
func (d *Directory) Close() error {
	return errors.Join(wipeAll(d.path, d.hold), d.hold.Close())
}

// sweep wipes the directories that killed processes of this user have left behind.
func sweep(place string) {
	entries, err := os.ReadDir(place)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), directoryPrefix) || !e.IsDir() {
			continue
		}
		path := filepath.Join(place, e.Name())
		hold, err := holdDirectory(path)
		if err != nil { // another process holds it
			continue
		}
		if info, err := hold.Stat(); err == nil && owner.IsCaller(info) { // root can open what others have put there
			_ = wipeAll(path, hold) // what stays is tried again the next time
		}
		_ = hold.Close()
	}
}

// wipeAll wipes the directory that hold is and removes it. Nothing outside of it is reached, whatever links are made in it meanwhile.
func wipeAll(path string, hold *os.File) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	err = wipeIn(root, hold)
	return errors.Join(err, root.Close(), os.Remove(path))
}

func wipeIn(root *os.Root, hold *os.File) error {
	held, err := hold.Stat()
	if err != nil {
		return err
	}
	opened, err := root.Stat(".")
	if err != nil {
		return err
	}
	if !os.SameFile(held, opened) {
		return fmt.Errorf("%s: another directory was put in its place", root.Name())
	}
	var problems []error
	_ = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error { // problems are collected
		switch {
		case err != nil:
			problems = append(problems, err)
		case e.Type().IsRegular():
			problems = append(problems, wipeFile(root, name))
		}
		return nil
	})
	entries, err := fs.ReadDir(root.FS(), ".")
	problems = append(problems, err)
	for _, e := range entries {
		problems = append(problems, root.RemoveAll(e.Name()))
	}
	return errors.Join(problems...)
}

// wipeFile overwrites a file and removes it.
func wipeFile(root *os.Root, name string) error {
	f, err := root.OpenFile(name, os.O_WRONLY|openNoFollow, 0)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) { // the editor may have made it read-only; the directory is this user's
			return root.Remove(name)
		}
		return err
	}
	info, err := f.Stat()
	if err == nil {
		var zeros [4096]byte
		for left := info.Size(); left > 0 && err == nil; {
			var n int
			n, err = f.Write(zeros[:min(left, int64(len(zeros)))])
			left -= int64(n)
		}
	}
	if err := errors.Join(err, f.Close(), root.Remove(name)); err != nil {
		return fmt.Errorf("wipe %s: %w", filepath.Join(root.Name(), name), err)
	}
	return nil
}
