package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestKeepNumbersWhatItWouldLose(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keep := func() {
		t.Helper()
		if _, err := Keep(path, ".bak", 0); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want map[string]string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != len(want) {
			t.Errorf("%d entries, want %d: %v", len(entries), len(want), entries)
		}
		for name, content := range want {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || string(got) != content {
				t.Errorf("%s: %q, %v; want %q", name, got, err, content)
			}
		}
	}

	write("one")
	keep()
	expect(map[string]string{"f": "one", "f.bak": "one"})
	keep() // the same content: nothing to do
	expect(map[string]string{"f": "one", "f.bak": "one"})
	write("two")
	keep()
	expect(map[string]string{"f": "two", "f.bak": "two", "f.bak.1": "one"})
	write("three, which is longer")
	keep()
	expect(map[string]string{"f": "three, which is longer", "f.bak": "three, which is longer", "f.bak.1": "one", "f.bak.2": "two"})

	if _, err := Keep(filepath.Join(dir, "missing"), ".bak", 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a missing file: %v", err)
	}
}

func TestSameContentAndBackupAs(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "f"), filepath.Join(dir, "g")
	putFile(t, path, oldContent, 0o600)
	if err := BackupAs(path, other, 0o400); err != nil {
		t.Fatal(err)
	}
	if e := readEntry(t, other); e.content != oldContent || enforcesMode && e.mode != 0o400 {
		t.Errorf("the copy is %+v", e)
	}
	if same, err := SameContent(path, other); !same || err != nil {
		t.Errorf("the copy is the same: %v, %v", same, err)
	}
	putFile(t, filepath.Join(dir, "h"), newContent, 0o600)
	if same, err := SameContent(path, filepath.Join(dir, "h")); same || err != nil {
		t.Errorf("another content is the same: %v, %v", same, err)
	}
	if _, err := SameContent(path, filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestReplaceWithMode(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o644)
	if err := Replace(path, []byte(newContent), ReplaceOptions{Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if e := readEntry(t, path); e.content != newContent || enforcesMode && e.mode != 0o600 {
		t.Errorf("the file is %+v", e)
	}
}
