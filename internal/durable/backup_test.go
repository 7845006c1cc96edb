package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBackup(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o640)
	for _, backup := range []string{path + ".bak", filepath.Join(t.TempDir(), "copy")} {
		for _, content := range []string{oldContent, strings.Repeat("large", 100_000), "small"} {
			putFile(t, path, content, 0o640)
			if err := Backup(path, backup); err != nil {
				t.Fatal(err)
			}
			if got, want := readEntry(t, backup), readEntry(t, path); !got.equal(want) {
				t.Errorf("backup is %v, want %v", got, want)
			}
			// Written in place, as cp does when it restores: the backup must not follow.
			if err := os.WriteFile(path, []byte("overwritten"), 0); err != nil {
				t.Fatal(err)
			}
			wantContent(t, backup, content)
			noStrays(t, filepath.Dir(backup))
		}
	}
}

func TestBackupRefuses(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	dir := filepath.Dir(path)
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, filepath.Join(dir, "hard")); err != nil {
		t.Skipf("no hard links here: %v", err)
	}
	putFile(t, filepath.Join(dir, "victim"), "victim", 0o600)
	symlink(t, "victim", filepath.Join(dir, "link"))
	symlink(t, "nowhere", filepath.Join(dir, "dangling"))
	before := snapshot(t, dir)
	for _, test := range []struct {
		from, to string
		want     error
	}{
		{"vault", "vault", errSameFile},
		{"vault", "hard", errSameFile},
		{"vault", "dir", ErrNotRegular},
		{"vault", "link", ErrNotRegular},
		{"vault", "dangling", ErrNotRegular},
		{"vault", "none/file", fs.ErrNotExist},
		{"missing", "new", fs.ErrNotExist},
		{"dir", "new", ErrNotRegular},
	} {
		err := Backup(filepath.Join(dir, test.from), filepath.Join(dir, test.to))
		if !errors.Is(err, test.want) {
			t.Errorf("Backup(%s, %s): %v, want %v", test.from, test.to, err, test.want)
		}
	}
	sameEntries(t, snapshot(t, dir), before)
}

// TestBackupOfChangingFile has the file grow while it is copied, as by an editor that writes in place.
func TestBackupOfChangingFile(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	sys := realSystem()
	copied := sys.copy
	sys.copy = func(to, from *os.File) (int64, error) {
		n, err := copied(to, from)
		putFile(t, path, oldContent+"more", 0o600)
		return n, err
	}
	if err := sys.backup(path, path+".bak", 0); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v, want ErrChanged", err)
	}
	if entries := snapshot(t, filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("directory holds %v", entries)
	}
}

func TestRename(t *testing.T) {
	path := newFile(t, "key.new", newContent, 0o400)
	dir := filepath.Dir(path)
	key := filepath.Join(dir, "key")
	for range 2 { // to a free name, then over a file
		if err := Rename(path, key); err != nil {
			t.Fatal(err)
		}
		if e := readEntry(t, key); e.content != newContent || enforcesMode && e.mode != 0o400 {
			t.Errorf("renamed file is %v", e)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("old name: %v", err)
		}
		putFile(t, path, newContent, 0o400)
	}
}

func TestRenameRefuses(t *testing.T) {
	path := newFile(t, "file", oldContent, 0o600)
	dir := filepath.Dir(path)
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	symlink(t, "file", filepath.Join(dir, "link"))
	symlink(t, ".", filepath.Join(dir, "same"))
	before := snapshot(t, dir)
	for _, test := range []struct {
		from, to string
		want     error
	}{
		{"missing", "new", fs.ErrNotExist},
		{"link", "new", ErrNotRegular},
		{"file", "link", ErrNotRegular},
		{"file", "dir", ErrNotRegular},
		{"dir", "new", ErrNotRegular},
		{"file", "dir/new", errOtherDirectory},
		{"file", "none/new", fs.ErrNotExist},
	} {
		err := Rename(filepath.Join(dir, test.from), filepath.Join(dir, test.to))
		if !errors.Is(err, test.want) {
			t.Errorf("Rename(%s, %s): %v, want %v", test.from, test.to, err, test.want)
		}
	}
	sameEntries(t, snapshot(t, dir), before)
	if err := Rename(path, filepath.Join(dir, "same", "new")); err != nil {
		t.Errorf("one directory under two names: %v", err)
	}
}
