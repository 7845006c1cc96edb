package render

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// secretMap serves as a vault.
type secretMap map[string]string

func (m secretMap) Names() []string { return slices.Sorted(maps.Keys(m)) }

func (m secretMap) Use(name string, f func([]byte) error) error {
	value, ok := m[name]
	if !ok {
		return errors.New("asked for a secret that there is not")
	}
	return f([]byte(value))
}

// anywhere are the options for t.TempDir, which is on a disk.
var anywhere = Options{AllowDisk: true, LockTimeout: 10 * time.Second}

func renderTo(t *testing.T, dir string, o Options, s secretMap) (Report, error) {
	t.Helper()
	d, err := OpenDirectory(context.Background(), dir, o)
	if err != nil {
		return Report{}, err
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	return d.Render(context.Background(), s.Names(), s)
}

func mustRender(t *testing.T, dir string, o Options, s secretMap) Report {
	t.Helper()
	r, err := renderTo(t, dir, o, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// files returns what is in dir by path, other than manifest and lock; a directory as "/", a link as "-> TARGET".
func files(t *testing.T, dir string) secretMap {
	t.Helper()
	found := make(secretMap)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(path, dir), string(filepath.Separator)))
		switch {
		case err != nil:
			return err
		case name == "" || name == ManifestName || name == manifestLock:
		case entry.IsDir():
			found[name] = "/"
		case entry.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			found[name] = "-> " + target
			return err
		default:
			content, err := os.ReadFile(path)
			found[name] = string(content)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantFiles(t *testing.T, dir string, want secretMap) {
	t.Helper()
	if got := files(t, dir); !maps.Equal(got, want) {
		t.Errorf("there is %v, want %v", got, want)
	}
}

func putFile(t *testing.T, dir, name, content string, mode fs.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func mode(t *testing.T, path ...string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}
