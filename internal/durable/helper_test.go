package durable

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	oldContent = "the old content\n"
	newContent = "the new content, which is longer\n"
)

// entry is what must not change about a file when an operation fails.
type entry struct {
	mode     fs.FileMode
	uid, gid int
	content  string
	xattrs   map[string]string
}

// snapshot returns every entry of dir by name, other than lock files.
func snapshot(t *testing.T, dir string) map[string]entry {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries := make(map[string]entry)
	for _, file := range files {
		if strings.HasSuffix(file.Name(), lockSuffix) {
			continue
		}
		entries[file.Name()] = readEntry(t, filepath.Join(dir, file.Name()))
	}
	return entries
}

func readEntry(t *testing.T, path string) entry {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	e := entry{mode: info.Mode()}
	e.uid, e.gid, _ = ownerOf(info)
	switch info.Mode().Type() {
	case fs.ModeSymlink:
		e.content, err = os.Readlink(path)
	case 0:
		e.content, e.xattrs = readRegular(t, path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func readRegular(t *testing.T, path string) (string, map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var content bytes.Buffer
	if _, err := content.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	values, err := readXattrs(f)
	if err != nil {
		t.Fatal(err)
	}
	xattrs := make(map[string]string)
	for name, value := range values {
		xattrs[name] = string(value)
	}
	return content.String(), xattrs
}

func (e entry) equal(other entry) bool {
	return e.mode == other.mode && e.uid == other.uid && e.gid == other.gid && e.content == other.content &&
		maps.Equal(e.xattrs, other.xattrs)
}

// sameEntries reports a difference between two snapshots as a test failure.
func sameEntries(t *testing.T, got, want map[string]entry) {
	t.Helper()
	if !equalEntries(got, want) {
		t.Errorf("directory holds %v, want %v", got, want)
	}
}

func equalEntries(a, b map[string]entry) bool { return maps.EqualFunc(a, b, entry.equal) }

// noStrays fails the test if dir holds a temporary file.
func noStrays(t *testing.T, dir string) {
	t.Helper()
	for _, name := range strays(t, dir) {
		t.Errorf("stray temporary file %s", name)
	}
}

func strays(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, ".*"+tempSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// newFile makes a file in a new directory and returns its path.
func newFile(t *testing.T, name, content string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	putFile(t, path, content, mode)
	return path
}

func putFile(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s holds %q, want %q", filepath.Base(path), got, want)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}
