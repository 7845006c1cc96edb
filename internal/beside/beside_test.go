package beside

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

const random = "0123456789abcdef"

func TestList(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "v", "v.lock", "v.bak", "v.bak.2", "v.bak.x", "v.bak2", "v.20260419T120000Z", "v.20260419T120000Z-3", "v.20260419", "v.drop.pub",
		"k", "k.new", "k.old", "k.old.1", "k.old.", "other", "v2", ".v."+random+".vault-tmp", ".v.lock."+random+".vault-tmp",
		".k.new."+random+".vault-tmp", ".other."+random+".vault-tmp", "v.displaced-"+random, "other.displaced-"+random)
	check(t, dir, filepath.Join(dir, "v"), filepath.Join(dir, "k"), map[string]Kind{
		"v.lock": Lock, "v.bak": Backup, "v.bak.2": Backup, "v.20260419T120000Z": DatedBackup, "v.20260419T120000Z-3": DatedBackup,
		"v.drop.pub": DropKey, "k": Key, "k.new": NewKey, "k.old": OldKey, "k.old.1": OldKey,
		".v." + random + ".vault-tmp": Temporary, ".v.lock." + random + ".vault-tmp": Temporary, ".k.new." + random + ".vault-tmp": Temporary,
		"v.displaced-" + random: Displaced,
	})
	check(t, dir, filepath.Join(dir, "v"), "", map[string]Kind{
		"v.lock": Lock, "v.bak": Backup, "v.bak.2": Backup, "v.20260419T120000Z": DatedBackup, "v.20260419T120000Z-3": DatedBackup,
		"v.drop.pub": DropKey, ".v." + random + ".vault-tmp": Temporary, ".v.lock." + random + ".vault-tmp": Temporary, "v.displaced-" + random: Displaced,
	})
}

// TestOtherDirectories: a key elsewhere, and the file behind a link.
func TestOtherDirectories(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("makes symbolic links")
	}
	dir := t.TempDir()
	for _, sub := range []string{"a", "b", "c"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	touch(t, dir, "a/k.new", "b/real", "b/real.lock", "b/real.bak", "c/k", "c/k.old")
	if err := os.Symlink("../b/real", filepath.Join(dir, "a", "v")); err != nil {
		t.Fatal(err)
	}
	check(t, dir, filepath.Join(dir, "a", "v"), filepath.Join(dir, "c", "k"), map[string]Kind{
		"b/real.lock": Lock, "b/real.bak": Backup, "c/k.old": OldKey,
	})
	check(t, dir, filepath.Join(dir, "missing", "v"), filepath.Join(dir, "missing", "k"), nil)
}

func touch(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func check(t *testing.T, dir, vault, key string, want map[string]Kind) {
	t.Helper()
	files, err := List(vault, key)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, f := range files {
		name, err := filepath.Rel(dir, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, name)
		if want[filepath.ToSlash(name)] != f.Kind {
			t.Errorf("%s is said to be %q", name, f.Kind)
		}
	}
	if len(seen) != len(want) || !slices.IsSorted(seen) {
		t.Errorf("listed %q", seen)
	}
}
