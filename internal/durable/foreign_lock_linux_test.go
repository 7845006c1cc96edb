package durable

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestForeignLockFile: where every user may make files, a lock file of another user keeps nobody waiting.
func TestForeignLockFile(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	tests := []struct {
		name         string
		mode         fs.FileMode
		dir, guarded int // owners
		want         error
	}{
		{"open to all", 0o777 | fs.ModeSticky, 0, 0, ErrForeignOwner},
		{"of the owner of the file", 0o777 | fs.ModeSticky, 0, stranger, nil},
		{"of the owner of the directory", 0o777 | fs.ModeSticky, stranger, 0, nil},
		{"closed", 0o755, 0, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "v")
			mustDo(t, os.WriteFile(file, nil, 0o600), os.WriteFile(file+".lock", nil, 0o600),
				os.Lchown(file, tt.guarded, tt.guarded), os.Lchown(file+".lock", stranger, stranger),
				os.Lchown(dir, tt.dir, tt.dir), os.Chmod(dir, tt.mode))
			l, err := Lock(context.Background(), file, 0)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v", err)
			}
			if err == nil {
				mustDo(t, l.Unlock())
			}
		})
	}
}

// TestUmaskTakesNothing: what is made can be opened again by its owner. The umask is one of the whole process, so no test that runs
// in parallel may make files meanwhile: this one does not run in parallel, and those that do wait for it.
func TestUmaskTakesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, umask := range []int{0o077, 0o277, 0o777} {
		restore := syscall.Umask(umask)
		tree, _, err := OpenTree(filepath.Join(dir, "d"), TreeOptions{Create: true})
		if err == nil {
			var l *FileLock
			if l, err = tree.Lock(context.Background(), "v", 0); err == nil {
				err = l.Unlock()
			}
		}
		syscall.Umask(restore)
		mustDo(t, err)
		for path, want := range map[string]fs.FileMode{"d": fs.ModeDir | 0o700, "d/v.lock": 0o600} {
			if info, err := os.Lstat(filepath.Join(dir, path)); err != nil || info.Mode() != want {
				t.Errorf("umask %04o: %s: %v, %v", umask, path, info, err)
			}
		}
		tree.Close()
		mustDo(t, os.RemoveAll(filepath.Join(dir, "d")))
	}
}
