package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestCreate(t *testing.T) {
	for _, test := range []struct{ mode, want fs.FileMode }{{0, 0o600}, {0o400, 0o400}, {0o600, 0o600}, {0o666, 0o666}} {
		path := filepath.Join(t.TempDir(), "key")
		if err := Create(path, []byte(newContent), CreateOptions{Mode: test.mode}); err != nil {
			t.Fatal(err)
		}
		e := readEntry(t, path)
		if e.content != newContent || enforcesMode && e.mode != test.want {
			t.Errorf("mode %v: got %v, %q", test.mode, e.mode, e.content)
		}
		noStrays(t, filepath.Dir(path))
	}
}

func TestCreateLike(t *testing.T) {
	model := newFile(t, "model", oldContent, 0o440)
	path := filepath.Join(filepath.Dir(model), "new")
	if err := Create(path, []byte(newContent), CreateOptions{Mode: 0o777, Like: model}); err != nil {
		t.Fatal(err)
	}
	want := readEntry(t, model)
	want.content = newContent
	if got := readEntry(t, path); !got.equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	err := Create(path+"2", nil, CreateOptions{Like: model + ".missing"})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing model: %v", err)
	}
}

func TestCreateNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "file"), oldContent, 0o600)
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	symlink(t, "file", filepath.Join(dir, "link"))
	symlink(t, "nowhere", filepath.Join(dir, "dangling"))
	before := snapshot(t, dir)
	for _, name := range []string{"file", "dir", "link", "dangling"} {
		unwanted := func(*os.File) error {
			t.Errorf("%s: wrote a file that cannot get its name", name)
			return nil
		}
		err := Create(filepath.Join(dir, name), []byte(newContent), CreateOptions{Verify: unwanted})
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Create(filepath.Join(dir, "none", "file"), nil, CreateOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
	sameEntries(t, snapshot(t, dir), before)
}

func TestCreateConcurrently(t *testing.T) {
	for name, prepare := range map[string]func(*system){
		"rename": func(*system) {},
		"link": func(sys *system) {
			sys.renameNew = func(*directory, string, string) error { return errors.ErrUnsupported }
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			var made atomic.Int32
			var winner atomic.Value
			var writers sync.WaitGroup
			for i := range 16 {
				writers.Go(func() {
					sys := realSystem()
					prepare(sys)
					content := fmt.Sprint("writer ", i)
					switch err := sys.createAt(path, []byte(content), CreateOptions{}); {
					case err == nil:
						made.Add(1)
						winner.Store(content)
					case !errors.Is(err, fs.ErrExist):
						t.Error(err)
					}
				})
			}
			writers.Wait()
			if made.Load() != 1 {
				t.Fatalf("%d writers made the file", made.Load())
			}
			wantContent(t, path, winner.Load().(string))
			noStrays(t, filepath.Dir(path))
		})
	}
}

func TestCreateVerify(t *testing.T) {
	dir := t.TempDir()
	bad := errors.New("bad")
	err := Create(filepath.Join(dir, "key"), []byte("x"), CreateOptions{Verify: func(*os.File) error { return bad }})
	if !errors.Is(err, bad) {
		t.Error(err)
	}
	sameEntries(t, snapshot(t, dir), nil)
}
