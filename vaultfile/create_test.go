package vaultfile

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestCreate(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	first := createVault(t, u, map[string]string{"A": "1"})
	second := createVault(t, u, nil)
	wantContent(t, first, u, map[string]string{"A": "1"})
	wantContent(t, second, u, map[string]string{})
	if saltOf(readFile(t, first)) == saltOf(readFile(t, second)) {
		t.Error("two vaults have one salt")
	}
	wantReleased(t, u, 2)
	info, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != newVaultMode {
		t.Errorf("mode %v, want %v", info.Mode().Perm(), newVaultMode)
	}
}

func TestCreateInMissingDirectory(t *testing.T) {
	u := newUnlocker(t, testPassphrase)
	_, err := Create(t.Context(), filepath.Join(t.TempDir(), "none", "secrets.vault"), u, CreateOptions{}, setAll(nil))
	wantError(t, err, os.ErrNotExist)
}

// replaceVault calls Create with Replace.
func replaceVault(t *testing.T, path string, u *Unlocker, secrets map[string]string, want Outcome) {
	t.Helper()
	made, err := Create(t.Context(), path, u, CreateOptions{Replace: true}, setAll(secrets))
	if err != nil || made.Outcome != want {
		t.Fatalf("%q, %v, want %q", made.Outcome, err, want)
	}
}

// TestCreateKeepsEveryBackup replaces a vault several times: every former content stays.
func TestCreateKeepsEveryBackup(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	one, two, three, four := map[string]string{"V": "1"}, map[string]string{"V": "2"}, map[string]string{"V": "3"}, map[string]string{"V": "4"}
	path := createVault(t, u, one)
	first := readFile(t, path)
	replaceVault(t, path, u, two, Replaced)
	if !bytes.Equal(readFile(t, path+BackupSuffix), first) {
		t.Error("the backup is not the old file")
	}
	replaceVault(t, path, u, two, Unchanged)
	replaceVault(t, path, u, three, Replaced)
	replaceVault(t, path, u, four, Replaced)
	wantFiles(t, filepath.Dir(path), "secrets.vault", "secrets.vault.bak", "secrets.vault.bak.1", "secrets.vault.bak.2", "secrets.vault.lock")
	for suffix, want := range map[string]map[string]string{"": four, ".bak": three, ".bak.1": one, ".bak.2": two} {
		wantContent(t, path+suffix, u, want)
	}
}

// TestCreateAfterInterruption finds a backup of the vault as it still is, as a kill between the backup
// and the replacement leaves it.
func TestCreateAfterInterruption(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path := createVault(t, u, map[string]string{"V": "1"})
	writeFile(t, path+BackupSuffix, readFile(t, path))
	replaceVault(t, path, u, map[string]string{"V": "2"}, Replaced)
	wantFiles(t, filepath.Dir(path), "secrets.vault", "secrets.vault.bak", "secrets.vault.lock")
}

func TestCreateOverWhatTheKeyDoesNotOpen(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	foreign := readFile(t, createVault(t, newUnlocker(t, passphrase("another")), map[string]string{"A": "1"}))
	k := fuzzKey(t)
	broken, err := seal(k, []byte("[]"))
	if err != nil {
		t.Fatal(err)
	}
	for name, old := range map[string][]byte{"foreign": foreign, "broken": broken, "empty": {}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secrets.vault")
			writeFile(t, path, old)
			_, err := Create(t.Context(), path, u, CreateOptions{}, setAll(nil))
			wantError(t, err, ErrExists)
			replaceVault(t, path, u, map[string]string{"A": "2"}, Replaced)
			wantContent(t, path, u, map[string]string{"A": "2"})
			if !bytes.Equal(readFile(t, path+BackupSuffix), old) {
				t.Error("the old file is not kept")
			}
			if after := readFile(t, path); len(old) > payloadOffset && saltOf(after) == saltOf(old) {
				t.Error("the salt of another vault is used again")
			}
		})
	}
}

// TestCreateLeavesOtherFilesAlone has a path that names a file which never was a vault.
func TestCreateLeavesOtherFilesAlone(t *testing.T) {
	cheapKDF(t)
	path := filepath.Join(t.TempDir(), ".env")
	text := bytes.Repeat([]byte("NAME=value\n"), 20)
	writeFile(t, path, text)
	_, err := Create(t.Context(), path, newUnlocker(t, testPassphrase), CreateOptions{Replace: true}, setAll(nil))
	wantError(t, err, ErrNotVault)
	if !bytes.Equal(readFile(t, path), text) {
		t.Error("the file was changed")
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("something was left beside it: %v, %v", entries, err)
	}
}

// TestCreateOverBrokenPayload replaces a vault that the key opens and the decoder refuses.
func TestCreateOverBrokenPayload(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	k, err := u.freshKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	broken, err := seal(k, []byte(`{"A":1}`))
	u.release(k)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "secrets.vault")
	writeFile(t, path, broken)
	wantError(t, onlyError(Update(t.Context(), path, u, UpdateOptions{}, setAll(nil))), ErrPayload)
	replaceVault(t, path, u, map[string]string{"A": "2"}, Replaced)
	wantContent(t, path, u, map[string]string{"A": "2"})
	wantReleased(t, u, 2)
}
