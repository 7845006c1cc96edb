package durable

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func openTestTree(t *testing.T, dir string) *Tree {
	t.Helper()
	tree, created, err := OpenTree(dir, TreeOptions{})
	if err != nil || created {
		t.Fatalf("created %v, %v", created, err)
	}
	t.Cleanup(tree.Close)
	return tree
}

func TestTreeCreateAndReplace(t *testing.T) {
	dir := t.TempDir()
	tree := openTestTree(t, dir)
	readable := Access{Mode: 0o440}
	if err := tree.Mkdir("a", Access{Mode: 0o750}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "a/x"} {
		if err := tree.Replace(name, []byte(newContent), readable); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("replacing a missing %s: %v", name, err)
		}
		if err := tree.Create(name, []byte(oldContent), Access{Mode: 0o400}); err != nil {
			t.Fatal(err)
		}
		if err := tree.Create(name, []byte(newContent), readable); !errors.Is(err, fs.ErrExist) {
			t.Errorf("creating %s twice: %v", name, err)
		}
		wantContent(t, filepath.Join(dir, name), oldContent)
		if err := tree.Replace(name, []byte(newContent), readable); err != nil {
			t.Fatal(err)
		}
		wantContent(t, filepath.Join(dir, name), newContent)
		info, err := tree.Lstat(name)
		if err != nil || !readable.Of(info) || info.Mode() != 0o440 {
			t.Errorf("%s has mode %v (%v)", name, info.Mode(), err)
		}
		if err := tree.Remove(name); err != nil {
			t.Error(err)
		}
		if _, err := tree.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was removed: %v", name, err)
		}
	}
	if info, err := tree.Lstat("a"); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("the directory has mode %v (%v)", info.Mode(), err)
	}
	noStrays(t, dir)
	noStrays(t, filepath.Join(dir, "a"))
}

// TestTreeFollowsNoLink gives every operation a link to what must not be touched, in the place of a file and of a directory.
func TestTreeFollowsNoLink(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	putFile(t, filepath.Join(outside, "file"), oldContent, 0o600)
	symlink(t, filepath.Join(outside, "file"), filepath.Join(dir, "file"))
	symlink(t, outside, filepath.Join(dir, "away"))
	symlink(t, "real", filepath.Join(dir, "inside")) // os.Root would follow this one
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	putFile(t, filepath.Join(dir, "real", "file"), oldContent, 0o600)
	before, beforeReal := snapshot(t, outside), snapshot(t, filepath.Join(dir, "real"))
	tree := openTestTree(t, dir)
	a := Access{Mode: 0o600}
	for _, name := range []string{"file", "away/file", "away/new", "inside/file", "inside/new"} {
		for operation, err := range map[string]error{
			"create":  tree.Create(name, []byte(newContent), a),
			"replace": tree.Replace(name, []byte(newContent), a),
			"mkdir":   tree.Mkdir(name, a),
			"access":  tree.SetAccess(name, a),
			"sweep":   tree.Sweep([]string{name}), // nothing there to sweep
		} {
			if (err == nil) != (operation == "sweep") {
				t.Errorf("%s %s: %v", operation, name, err)
			}
		}
		if _, err := tree.Open(name); err == nil {
			t.Errorf("opened %s", name)
		}
		if strings.Contains(name, "/") {
			if err := tree.Remove(name); !errors.Is(err, syscall.ENOTDIR) {
				t.Errorf("remove %s: %v", name, err)
			}
			if l, err := tree.Lock(context.Background(), name, 0); err == nil {
				t.Errorf("locked %s", name)
				_ = l.Unlock()
			}
		}
	}
	if err := tree.Remove("file"); err != nil { // the link itself
		t.Error(err)
	}
	sameEntries(t, snapshot(t, outside), before)
	sameEntries(t, snapshot(t, filepath.Join(dir, "real")), beforeReal)
}

// TestTreeLockOfLink guards the name itself: a link must not have a lock file made beside its target.
func TestTreeLockOfLink(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	symlink(t, filepath.Join(outside, "file"), filepath.Join(dir, "manifest"))
	tree := openTestTree(t, dir)
	l, err := tree.Lock(context.Background(), "manifest", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Lock(context.Background(), "manifest", 0); !errors.Is(err, ErrLockTimeout) {
		t.Errorf("locked twice: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("beside the target: %v (%v)", entries, err)
	}
}

func TestTreeRefusesNames(t *testing.T) {
	tree := openTestTree(t, t.TempDir())
	for _, name := range []string{"", ".", "..", "../x", "a/../x", "/x", "a//x", "a/", "./x"} {
		if err := tree.Create(name, nil, Access{Mode: 0o600}); !errors.Is(err, ErrNotRegular) {
			t.Errorf("create %q: %v", name, err)
		}
		if err := tree.Remove(name); !errors.Is(err, ErrNotRegular) {
			t.Errorf("remove %q: %v", name, err)
		}
	}
}

func TestOpenTreeMakesDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if _, _, err := OpenTree(dir, TreeOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without Create: %v", err)
	}
	refused := errors.New("refused")
	accept := func(f *os.File) error {
		if filepath.Clean(f.Name()) == filepath.Dir(dir) {
			return refused
		}
		return nil
	}
	if _, _, err := OpenTree(dir, TreeOptions{Create: true, Accept: accept}); !errors.Is(err, refused) {
		t.Errorf("with a parent that is refused: %v", err)
	}
	if _, err := os.Lstat(dir); err == nil {
		t.Error("it was made in a parent that is refused")
	}
	for _, want := range []bool{true, false} {
		tree, created, err := OpenTree(dir+"/", TreeOptions{Create: true})
		if err != nil || created != want {
			t.Fatalf("created %v (%v)", created, err)
		}
		tree.Close()
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	if _, _, err := OpenTree(filepath.Join(dir, "a", "b"), TreeOptions{Create: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a parent: %v", err)
	}
}

func TestTreeAcceptsSubdirectories(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	tree, _, err := OpenTree(dir, TreeOptions{Accept: func(f *os.File) error {
		if filepath.Base(filepath.Clean(f.Name())) == "a" {
			return refused
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for operation, err := range map[string]error{
		"create": tree.Create("a/b/x", nil, Access{Mode: 0o600}),
		"mkdir":  tree.Mkdir("a", Access{Mode: 0o750}), // one that is there
		"access": tree.SetAccess("a", Access{Mode: 0o750}),
	} {
		if err != refused {
			t.Errorf("%s: %v", operation, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "a")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
}

func TestTreeSweep(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	stale := []string{tempName("x"), tempName("x.lock"), "a/" + tempName("y")}
	others := []string{tempName("other"), "a/" + tempName("x"), ".x.0123.vault-tmp", "x.vault-tmp", "x"}
	for _, name := range append(stale, others...) {
		putFile(t, filepath.Join(dir, name), "", 0o600)
	}
	if err := openTestTree(t, dir).Sweep([]string{"x", "a/y", "missing/z", "x/below"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range stale {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range others {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is gone", name)
		}
	}
}

func TestTreeOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	tree := openTestTree(t, t.TempDir())
	file, dir := Access{0o440, &Owner{65534, 65533}}, Access{0o750, &Owner{65534, 65533}}
	if err := errors.Join(tree.Mkdir("a", dir), tree.Create("a/x", nil, file), tree.SetAccess(".", dir), tree.SetAccess("a", dir)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Access{".": dir, "a": dir, "a/x": file} {
		info, err := tree.Lstat(name)
		if err != nil || !want.Of(info) || (Access{Mode: want.Mode}).Of(info) {
			t.Errorf("%s: %v (%v)", name, info, err)
		}
	}
	plain := Access{Mode: 0o400}
	if err := tree.Replace("a/x", nil, plain); err != nil {
		t.Fatal(err)
	}
	if info, err := tree.Lstat("a/x"); err != nil || !plain.Of(info) {
		t.Errorf("given back: %v (%v)", info, err)
	}
}

// TestTreeKeepsGroupBit: directories with a set-group-ID bit hand their group down to the files (fsGroup of Kubernetes).
func TestTreeKeepsGroupBit(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o770|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode()&fs.ModeSetgid == 0 {
		t.Skip("no set-group-ID bit here")
	}
	tree := openTestTree(t, dir)
	for range 2 {
		if err := tree.Mkdir("a", Access{Mode: 0o750}); err != nil {
			t.Fatal(err)
		}
		info, err := tree.Lstat("a")
		if err != nil || info.Mode().Perm() != 0o750 || info.Mode()&fs.ModeSetgid == 0 {
			t.Errorf("mode %v (%v)", info.Mode(), err)
		}
	}
}

// TestOpenTreeAtOnce: of several that would make a directory one does, and all open it.
func TestOpenTreeAtOnce(t *testing.T) {
	for range 50 {
		dir := filepath.Join(t.TempDir(), "d")
		var made atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				tree, created, err := OpenTree(dir, TreeOptions{Create: true})
				if err != nil {
					t.Error(err)
					return
				}
				tree.Close()
				if created {
					made.Add(1)
				}
			})
		}
		wg.Wait()
		if n := made.Load(); n != 1 {
			t.Fatalf("made %d times", n)
		}
	}
}
