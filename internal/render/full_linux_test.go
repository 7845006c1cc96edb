package render

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullFileSystem: files can be removed where there is no room even for a manifest, and are on record as a change afterwards.
func TestFullFileSystem(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	mustRender(t, dir, anywhere, secretMap{"A": "1", "B": "1", "GONE": string(make([]byte, 20_000))})
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	for err == nil {
		_, err = filler.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if r, err := renderTo(t, dir, anywhere, secretMap{"A": "2", "B": "1", "GONE": string(make([]byte, 20_000))}); !errors.Is(err, syscall.ENOSPC) || r.Changed() {
		t.Errorf("%+v, %v", r, err)
	}
	r := mustRender(t, dir, anywhere, secretMap{"A": "2", "B": "1"})
	if r.Change == "" || len(r.Removed) != 1 || len(r.Written) != 1 {
		t.Errorf("%+v", r)
	}
	if again := mustRender(t, dir, anywhere, secretMap{"A": "2", "B": "1"}); again.Change != r.Change {
		t.Errorf("%q is on record instead of %q", again.Change, r.Change)
	}
}
