package backups

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/durable"
)

func hold(t *testing.T, path string) *Directory {
	t.Helper()
	d, locked, err := Hold(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !locked {
		t.Log("the file system cannot lock directories")
	}
	t.Cleanup(d.Release)
	return d
}

func write(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestPruneRemovesItsOwnOnly: what is not a backup of that vault stays, also a directory or a link of such a name.
func TestPruneRemovesItsOwnOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	others := []string{
		"secrets.vault", "secrets.vault.20260101", "secrets.vault.bak", "secrets.vault.lock", "secrets.vault.20260101T000000Z.bak",
		"other.vault.20260101T000000Z", "vault.key.20260101T000000Z",
	}
	ours := []string{"secrets.vault.20260101T000000Z", "secrets.vault.20260102T000000Z", "secrets.vault.20260102T000000Z-1", "secrets.vault.20260103T000000Z"}
	write(t, dir, append(slices.Clone(others), ours...)...)
	others = append(others, "secrets.vault.20250101T000000Z", "secrets.vault.20250102T000000Z")
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "secrets.vault.20250101T000000Z"), 0o700), os.Symlink("secrets.vault", filepath.Join(dir, "secrets.vault.20250102T000000Z"))); err != nil {
		t.Skip(err)
	}
	d := hold(t, dir)
	foreign := "secrets.vault.20260104T000000Z" // the newest, but another vault's
	write(t, dir, foreign)
	others = append(others, foreign)
	isOurs := func(path string) bool { return filepath.Base(path) != foreign }
	done, err := d.Prune("secrets.vault", Policy{Last: 1}, Backup{Name: ours[0]}, isOurs) // which was made by a clock that is behind
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{ours[2], ours[1]}; !slices.Equal(done.Removed, want) || done.Kept != 2 || done.Foreign != 1 {
		t.Errorf("%+v, want %q removed, two kept, one foreign", done, want)
	}
	want := append(slices.Clone(others), ours[0], ours[3])
	slices.Sort(want)
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("left are %q, want %q", got, want)
	}
}

func TestNextName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := hold(t, dir)
	now := time.Date(2026, 4, 19, 12, 0, 0, 5, time.UTC)
	for _, want := range []string{"v.20260419T120000Z", "v.20260419T120000Z-1", "v.20260419T120000Z-2"} {
		b, err := d.Next("v", now)
		if err != nil || b.Name != want {
			t.Errorf("the next name is %q (%v), want %q", b.Name, err, want)
		}
		write(t, dir, b.Name)
	}
	if err := os.Remove(filepath.Join(dir, "v.20260419T120000Z-1")); err != nil {
		t.Fatal(err)
	}
	if b, err := d.Next("v", now); err != nil || b.Name != "v.20260419T120000Z-3" {
		t.Errorf("behind a gap the next name is %q (%v)", b.Name, err)
	}
	found, err := d.List("v")
	if err != nil || len(found) != 2 || found[0].Name != "v.20260419T120000Z-2" {
		t.Errorf("the list is %v (%v)", found, err)
	}
}

func TestSweepRemovesItsOwnOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const temp = ".0123456789abcdef.vault-tmp"
	stay := []string{".other.vault.20260101T000000Z" + temp, ".secrets.vault" + temp, ".secrets.vault.20260101" + temp, "secrets.vault.20260101T000000Z"}
	write(t, dir, append(slices.Clone(stay), ".secrets.vault.20260101T000000Z"+temp, ".secrets.vault.20260101T000000Z-1"+temp)...)
	if err := hold(t, dir).Sweep("secrets.vault"); err != nil {
		t.Fatal(err)
	}
	slices.Sort(stay)
	if got := names(t, dir); !slices.Equal(got, stay) {
		t.Errorf("left are %q", got)
	}
}

func TestHoldWaitsForOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, locked, err := Hold(t.Context(), dir, 0)
	if err != nil || !locked {
		t.Skipf("not locked: %v", err)
	}
	if _, _, err := Hold(t.Context(), dir, 0); !errors.Is(err, durable.ErrLockTimeout) {
		t.Errorf("held twice: %v", err)
	}
	if got := names(t, dir); len(got) > 0 {
		t.Errorf("the lock left %q in the directory", got)
	}
	first.Release()
	hold(t, dir)
	if _, _, err := Hold(t.Context(), filepath.Join(dir, "nowhere"), 0); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
