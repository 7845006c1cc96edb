package render

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/memoryfs"
)

func TestRenderDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	long := strings.Repeat("0123456789", 10_000)
	first := secretMap{"A": "1", "B": "two\n", "EMPTY": "", "LONG": long, "app/db/URL": "u", "app/KEY": "k"}
	r := mustRender(t, dir, anywhere, first)
	if !r.First || !slices.Equal(r.Written, first.Names()) || r.Unchanged != nil || r.Removed != nil || !r.Changed() {
		t.Errorf("first: %+v", r)
	}
	want := maps.Clone(first)
	maps.Copy(want, secretMap{"app": "/", "app/db": "/"})
	wantFiles(t, dir, want)
	for name, value := range want {
		if got := mode(t, dir, name); value == "/" && got != 0o700 || value != "/" && got != 0o400 {
			t.Errorf("%s has mode %v", name, got)
		}
	}
	if got := mode(t, dir); got != 0o700 {
		t.Errorf("the directory has mode %v", got)
	}

	before, err := os.Stat(filepath.Join(dir, "LONG"))
	if err != nil {
		t.Fatal(err)
	}
	if r = mustRender(t, dir, anywhere, first); r.First || r.Changed() || !slices.Equal(r.Unchanged, first.Names()) {
		t.Errorf("again: %+v", r)
	}
	after, err := os.Stat(filepath.Join(dir, "LONG"))
	if err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("an unchanged file was touched (%v)", err)
	}

	second := secretMap{"A": "2", "LONG": long[:len(long)-1] + "x", "EMPTY": "", "NEW": "n"}
	r = mustRender(t, dir, anywhere, second)
	if !slices.Equal(r.Written, []string{"A", "LONG", "NEW"}) || !slices.Equal(r.Unchanged, []string{"EMPTY"}) ||
		!slices.Equal(r.Removed, []string{"B", "app/KEY", "app/db/URL"}) {
		t.Errorf("second: %+v", r)
	}
	wantFiles(t, dir, second)
	mustRender(t, dir, anywhere, secretMap{})
	wantFiles(t, dir, secretMap{})
}

// TestFilesAndDirectoriesSwap makes files of directories and directories of files.
func TestFilesAndDirectoriesSwap(t *testing.T) {
	dir := t.TempDir()
	a, b := secretMap{"x": "1", "y/z/u": "2", "y/z/v": "3"}, secretMap{"x/1": "1", "x/2/3": "2", "y": "3"}
	for range 2 {
		mustRender(t, dir, anywhere, a)
		wantFiles(t, dir, secretMap{"x": "1", "y": "/", "y/z": "/", "y/z/u": "2", "y/z/v": "3"})
		mustRender(t, dir, anywhere, b)
		wantFiles(t, dir, secretMap{"x": "/", "x/1": "1", "x/2": "/", "x/2/3": "2", "y": "3"})
	}
	putFile(t, dir, "x/foreign", "f", 0o600)
	if _, err := renderTo(t, dir, anywhere, secretMap{"x": "1"}); !errors.Is(err, ErrConflict) {
		t.Errorf("a directory with a foreign file: %v", err)
	}
	mustRender(t, dir, anywhere, secretMap{"u": "1"})
	wantFiles(t, dir, secretMap{"u": "1", "x": "/", "x/foreign": "f"})
	if err := os.Remove(filepath.Join(dir, "x/foreign")); err != nil {
		t.Fatal(err)
	}
	mustRender(t, dir, anywhere, secretMap{"u": "1"})
	wantFiles(t, dir, secretMap{"u": "1"})
}

func TestChangeOfMode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	s := secretMap{"A": "1", "b/C": "2"}
	mustRender(t, dir, anywhere, s)
	group := anywhere
	group.Mode = 0o440
	for _, c := range []struct {
		o         Options
		file, dir os.FileMode
	}{{group, 0o440, 0o750}, {anywhere, 0o400, 0o700}} {
		r := mustRender(t, dir, c.o, s)
		if !slices.Equal(r.Written, s.Names()) {
			t.Errorf("%+v", r)
		}
		for name, want := range map[string]os.FileMode{"": c.dir, "A": c.file, "b": c.dir, "b/C": c.file} {
			if got := mode(t, dir, name); got != want {
				t.Errorf("%q has mode %v instead of %v", name, got, want)
			}
		}
		if r = mustRender(t, dir, c.o, s); r.Changed() {
			t.Errorf("again: %+v", r)
		}
	}
}

// TestExistingDirectory keeps its mode, whatever is in it.
func TestExistingDirectory(t *testing.T) {
	group := anywhere
	group.Mode = 0o440
	for _, c := range []struct {
		mode, want os.FileMode
		occupied   bool
	}{{0o755, 0o755, false}, {0o700, 0o700, true}, {0o700, 0o700, false}} {
		dir := t.TempDir()
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		if c.occupied {
			putFile(t, dir, "other", "", 0o600)
		}
		mustRender(t, dir, group, secretMap{"A": "1"})
		if got := mode(t, dir); got != c.want {
			t.Errorf("%+v: mode %v", c, got)
		}
	}
}

func TestOwner(t *testing.T) {
	o := anywhere
	o.Owner = &durable.Owner{UID: 65534, GID: 65533}
	dir := filepath.Join(t.TempDir(), "d")
	if os.Geteuid() != 0 {
		if _, err := renderTo(t, dir, o, secretMap{"A": "1"}); !errors.Is(err, ErrGiveAway) {
			t.Errorf("got %v", err)
		}
		if _, err := os.Lstat(dir); err == nil {
			t.Error("the directory was made")
		}
		t.Skip("only root can give files away")
	}
	s := secretMap{"A": "1", "b/C": "2"}
	mustRender(t, dir, anywhere, s)
	if r := mustRender(t, dir, o, s); !slices.Equal(r.Written, s.Names()) {
		t.Errorf("%+v", r)
	}
	for _, name := range []string{"", "A", "b", "b/C"} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if uid, _ := ownerOf(info); uid != 65534 {
			t.Errorf("%q belongs to %d", name, uid)
		}
	}
	if r := mustRender(t, dir, o, s); r.Changed() {
		t.Errorf("again: %+v", r)
	}
	if _, err := renderTo(t, dir, anywhere, s); !errors.Is(err, ErrForeignOwner) {
		t.Errorf("another user's directory: %v", err)
	}
}

func TestFileNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	for _, s := range []secretMap{
		{"a/../b": "1"}, {"..": "1"}, {".": "1"}, {"a/.": "1"}, {ManifestName: "1"}, {manifestLock: "1"}, {"x/" + ManifestName: "1"}, {"x/.out" + ManifestName: "1"}, {"x/" + ManifestName + "/y": "1"},
		{".x.0123456789abcdef.vault-tmp": "1"}, {"a/.x.0123456789abcdef.vault-tmp/b": "1"}, {"a": "1", "a/b": "2"}, {"a/b": "1", "a/b/c/d": "2"},
	} {
		if _, err := renderTo(t, dir, anywhere, s); !errors.Is(err, ErrFileName) {
			t.Errorf("%v: %v", s.Names(), err)
		}
		wantFiles(t, dir, secretMap{})
	}
	odd := secretMap{"...": "1", ".hidden": "2", "a.lock": "3", "TLS.key": "5", strings.Repeat("n", 255): "6"}
	mustRender(t, dir, anywhere, odd)
	mustRender(t, dir, anywhere, secretMap{})
	wantFiles(t, dir, secretMap{})
}

func TestManifestIsNotTrusted(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{}`, `{"version":2,"files":[],"directories":[]}`, `{"version":1,"files":["../x"],"directories":[]}`,
		`{"version":1,"files":["/etc/passwd"]}`, `{"version":1,"files":[],"directories":[".."]}`, `{"version":1,"files":["a"],"more":1}`,
		`{"version":1}{"version":1}`,
	} {
		dir := t.TempDir()
		putFile(t, dir, ManifestName, text, 0o600)
		if _, err := renderTo(t, dir, anywhere, secretMap{"A": "1"}); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: %v", text, err)
		}
		wantFiles(t, dir, secretMap{})
	}
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(filepath.Join(outside, "m"), filepath.Join(dir, ManifestName)); err != nil {
		t.Fatal(err)
	}
	if _, err := renderTo(t, dir, anywhere, secretMap{"A": "1"}); !errors.Is(err, ErrConflict) {
		t.Errorf("a link: %v", err)
	}
	wantFiles(t, outside, secretMap{})
}

func TestMemoryOnly(t *testing.T) {
	onDisk := Options{}
	dir := filepath.Join(t.TempDir(), "d")
	parent, err := os.Open(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer parent.Close()
	if memory, err := memoryfs.Holds(parent); err != nil || memory {
		t.Skipf("the directory for temporary files is in memory (%v)", err)
	}
	if _, err := renderTo(t, dir, onDisk, secretMap{"A": "1"}); !errors.Is(err, ErrDisk) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(dir); err == nil {
		t.Error("the directory was made")
	}
	const shm = "/dev/shm"
	if _, err := os.Stat(shm); err != nil {
		t.Skip("no " + shm + " here")
	}
	base, err := os.MkdirTemp(shm, "render")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if _, err := renderTo(t, filepath.Join(base, "d"), onDisk, secretMap{"A": "1"}); err != nil {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	d, err := OpenDirectory(context.Background(), dir, anywhere)
	if err != nil {
		t.Fatal(err)
	}
	once := Options{AllowDisk: true}
	if _, err := OpenDirectory(context.Background(), dir, once); !errors.Is(err, ErrBusy) {
		t.Errorf("opened twice: %v", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := renderTo(t, dir, anywhere, secretMap{"A": "1"})
		waiting <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; err != nil {
		t.Error(err)
	}
}

// TestStop ends a rendering in the middle; the next one finishes it.
func TestStop(t *testing.T) {
	dir := t.TempDir()
	mustRender(t, dir, anywhere, secretMap{"A": "1", "B": "1", "GONE": "1"})
	d, err := OpenDirectory(context.Background(), dir, anywhere)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &stopping{secretMap: secretMap{"A": "2", "B": "2", "C": "2"}, stop: stop}
	r, err := d.Render(ctx, s.Names(), s)
	if !errors.Is(err, context.Canceled) || !slices.Equal(r.Written, []string{"A"}) || !slices.Equal(r.Removed, []string{"GONE"}) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	mustRender(t, dir, anywhere, s.secretMap)
	wantFiles(t, dir, s.secretMap)
	mustRender(t, dir, anywhere, secretMap{})
	wantFiles(t, dir, secretMap{})
}

// stopping ends the context when it is asked for A the second time: to write it, after the comparison.
type stopping struct {
	secretMap
	stop func()
	uses int
}

func (s *stopping) Use(name string, f func([]byte) error) error {
	if name == "A" {
		s.uses++
	}
	if s.uses == 2 {
		s.stop()
	}
	return s.secretMap.Use(name, f)
}
