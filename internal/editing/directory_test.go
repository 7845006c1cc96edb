package editing

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSweepLeavesWhatIsOthers: root can open a directory of another user, and must not wipe by the names in it.
func TestSweepLeavesWhatIsOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a directory of another user")
	}
	t.Parallel()
	place := t.TempDir()
	theirs, ours := filepath.Join(place, directoryPrefix+"theirs"), filepath.Join(place, directoryPrefix+"ours")
	for _, dir := range []string{theirs, ours} {
		write(t, filepath.Join(dir, "text"))
	}
	if err := os.Chown(theirs, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	sweep(place)
	if _, err := os.Stat(filepath.Join(theirs, "text")); err != nil {
		t.Errorf("another user's file is gone: %v", err)
	}
	if _, err := os.Stat(ours); !os.IsNotExist(err) {
		t.Errorf("what a killed process left is there still: %v", err)
	}
}

// TestWipeFollowsNoLink: files that links in the directory lead to stay as they are.
func TestWipeFollowsNoLink(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	outside := filepath.Join(place, "outside")
	write(t, filepath.Join(outside, "file"))
	dir := filepath.Join(place, directoryPrefix+"x")
	write(t, filepath.Join(dir, "sub", "text"))
	for name, target := range map[string]string{"dir": outside, "file": filepath.Join(outside, "file"), "sub/up": "../../outside/file"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	sweep(place)
	if _, err := os.Lstat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory is there still: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(outside, "file")); err != nil || string(got) != "text" {
		t.Errorf("the file outside holds %q, %v", got, err)
	}
}

// TestWipeStaysInWhatIsHeld: a directory that somebody has put in the place of the one that was looked at is left alone.
func TestWipeStaysInWhatIsHeld(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	dir := filepath.Join(place, directoryPrefix+"x")
	write(t, filepath.Join(dir, "text"))
	hold, err := holdDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	if err := os.Rename(dir, dir+".moved"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "other"))
	if err := wipeAll(dir, hold); err == nil {
		t.Error("no error")
	}
	for _, path := range []string{filepath.Join(dir, "other"), filepath.Join(dir+".moved", "text")} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s is gone: %v", path, err)
		}
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte("text"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
