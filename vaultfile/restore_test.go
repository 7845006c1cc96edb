package vaultfile

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// withPast makes a vault with a history, and a copy of it before its last change.
func withPast(t *testing.T, u *Unlocker) (path, backup string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "secrets.vault")
	backup = filepath.Join(t.TempDir(), "backup")
	for _, value := range []string{"1", "2"} {
		set(t, path, u, value)
	}
	if _, err := Copy(t.Context(), path, u, backup); err != nil {
		t.Fatal(err)
	}
	set(t, path, u, "3")
	return path, backup
}

func set(t *testing.T, path string, u *Unlocker, value string) {
	t.Helper()
	o := UpdateOptions{CreateMissing: true, WriteOptions: WriteOptions{History: DefaultHistory()}}
	if _, err := Update(t.Context(), path, u, o, setAll(map[string]string{"A": value})); err != nil {
		t.Fatal(err)
	}
}

func versions(t *testing.T, path string, u *Unlocker) int {
	t.Helper()
	v, err := OpenHistory(t.Context(), path, u)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	h, err := v.History("A")
	if err != nil {
		t.Fatal(err)
	}
	return len(h.Versions)
}

func TestCopy(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path := createVault(t, u, map[string]string{"A": "1", "B": "2"})
	to := filepath.Join(t.TempDir(), "copy")
	copied, err := Copy(t.Context(), path, u, to)
	if err != nil || copied.Secrets != 2 {
		t.Fatalf("%+v, %v", copied, err)
	}
	if !bytes.Equal(readFile(t, path), readFile(t, to)) {
		t.Error("the copy differs")
	}
	if etag, err := ETag(to); err != nil || etag != copied.ETag {
		t.Errorf("the ETag is %s (%v), not %s", etag, err, copied.ETag)
	}
	wantReleased(t, u, 1)

	_, err = Copy(t.Context(), path, u, to)
	wantError(t, err, fs.ErrExist)
	_, err = Copy(t.Context(), filepath.Join(t.TempDir(), "none"), u, to+"2")
	wantError(t, err, ErrNotExist)
	_, err = Copy(t.Context(), path, newUnlocker(t, passphrase("another")), to+"2")
	wantError(t, err, ErrDecryption)
	wantFiles(t, filepath.Dir(to), "copy")
}

func TestRestore(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path, backup := withPast(t, u)
	later := readFile(t, path)
	r, err := Restore(t.Context(), path, u, backup, u, WriteOptions{})
	if err != nil || r.Outcome != Replaced || r.ReEncrypted || r.Unread || r.Secrets != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	wantContent(t, path, u, map[string]string{"A": "2"})
	if got := versions(t, path, u); got != 2 {
		t.Errorf("the history has %d versions, not those of the backup", got)
	}
	if r.Backup != path+BackupSuffix || !bytes.Equal(readFile(t, r.Backup), later) {
		t.Errorf("what was there before is not kept in %q", r.Backup)
	}
	wantReleased(t, u, 1)
	if r, err = Restore(t.Context(), path, u, backup, u, WriteOptions{}); err != nil || r.Outcome != Unchanged || r.Backup != "" {
		t.Errorf("once more: %+v, %v", r, err)
	}
	_, err = Restore(t.Context(), path, u, r.Backup+"x", u, WriteOptions{})
	wantError(t, err, ErrNotExist)
	_, err = Restore(t.Context(), path, u, path+BackupSuffix, u, WriteOptions{IfMatch: r.ETag[1:] + "0"})
	wantError(t, err, ErrChanged)
	wantReleased(t, u, 1)
}

// TestRestoreWhatWasKept: PATH.bak stays where it is, so that a run that was interrupted finds it.
func TestRestoreWhatWasKept(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path, backup := withPast(t, u)
	if _, err := Restore(t.Context(), path, u, backup, u, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	bak := readFile(t, path+BackupSuffix)
	r, err := Restore(t.Context(), path, u, path+BackupSuffix, u, WriteOptions{})
	if err != nil || r.Backup != path+BackupSuffix+".1" {
		t.Fatalf("%+v, %v", r, err)
	}
	wantContent(t, path, u, map[string]string{"A": "3"})
	wantContent(t, r.Backup, u, map[string]string{"A": "2"})
	if !bytes.Equal(readFile(t, path+BackupSuffix), bak) {
		t.Error("what was restored has moved")
	}
}

func TestRestoreFromUnderAnOlderKey(t *testing.T) {
	cheapKDF(t)
	old, u := newUnlocker(t, testPassphrase), newUnlocker(t, passphrase("next"))
	path, backup := withPast(t, old)
	if _, err := Rekey(t.Context(), path, old, u, RekeyOptions{}); err != nil {
		t.Fatal(err)
	}
	salt := saltOf(readFile(t, path))
	r, err := Restore(t.Context(), path, u, backup, old, WriteOptions{})
	if err != nil || !r.ReEncrypted || r.Outcome != Replaced {
		t.Fatalf("%+v, %v", r, err)
	}
	wantContent(t, path, u, map[string]string{"A": "2"})
	if versions(t, path, u) != 2 || saltOf(readFile(t, path)) != salt {
		t.Error("the history or the salt is another one")
	}
	if etag, err := ETag(path); err != nil || etag != r.ETag {
		t.Errorf("the ETag is %s (%v), not %s", etag, err, r.ETag)
	}
	if r, err = Restore(t.Context(), path, u, backup, old, WriteOptions{}); err != nil || r.Outcome != Unchanged {
		t.Errorf("once more: %+v, %v", r, err)
	}
	wantReleased(t, u, 1)
	wantReleased(t, old, 1)

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if r, err = Restore(t.Context(), path, u, backup, old, WriteOptions{}); err != nil || r.Outcome != Created || !r.ReEncrypted {
		t.Errorf("without a vault: %+v, %v", r, err)
	}
	wantContent(t, path, u, map[string]string{"A": "2"})
}

// TestRestoreOverDamage: a vault that the key does not open can be replaced by a backup under that key, but nothing is encrypted anew for a key that
// opens nothing here, and what never was a vault stays.
func TestRestoreOverDamage(t *testing.T) {
	cheapKDF(t)
	u, another := newUnlocker(t, testPassphrase), newUnlocker(t, passphrase("another"))
	path, backup := withPast(t, u)
	good := readFile(t, path)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	for name, present := range map[string][]byte{"damaged": flipped, "cut short": good[:len(good)-100], "very short": good[:10], "empty": {}} {
		writeFile(t, path, present)
		_, err := Restore(t.Context(), path, another, backup, u, WriteOptions{})
		if err == nil || !bytes.Equal(readFile(t, path), present) {
			t.Errorf("%s: encrypted for a key that opens nothing: %v", name, err)
		}
		r, err := Restore(t.Context(), path, u, backup, u, WriteOptions{})
		if err != nil || !r.Unread || r.Outcome != Replaced {
			t.Errorf("%s: %+v, %v", name, r, err)
			continue
		}
		wantContent(t, path, u, map[string]string{"A": "2"})
		if !bytes.Equal(readFile(t, r.Backup), present) {
			t.Errorf("%s: what was there is not kept", name)
		}
	}
	note := bytes.Repeat([]byte("no vault "), 10)
	writeFile(t, path, note)
	_, err := Restore(t.Context(), path, u, backup, u, WriteOptions{})
	wantError(t, err, ErrNotVault)
	if !bytes.Equal(readFile(t, path), note) {
		t.Error("another file was replaced")
	}
	writeFile(t, path, good)
	for name, file := range map[string][]byte{"damaged": flipped, "short": good[:40], "note": note} {
		writeFile(t, backup, file)
		if _, err := Restore(t.Context(), path, u, backup, u, WriteOptions{}); err == nil || !bytes.Equal(readFile(t, path), good) {
			t.Errorf("%s was restored: %v", name, err)
		}
	}
}

// TestRestoreRefusesBadContent: a file that decrypts, and is not well formed within, is no backup.
func TestRestoreRefusesBadContent(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path := createVault(t, u, map[string]string{"A": "1"})
	before := readFile(t, path)
	k, err := u.freshKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer u.release(k)
	file, err := seal(k, []byte(`{"A":"1","A":"2"}`))
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad")
	writeFile(t, bad, file)
	_, err = Restore(t.Context(), path, u, bad, u, WriteOptions{})
	wantError(t, err, ErrPayload)
	_, err = Copy(t.Context(), bad, u, bad+".copy")
	wantError(t, err, ErrPayload)
	if !bytes.Equal(readFile(t, path), before) {
		t.Error("the vault has changed")
	}
	wantFiles(t, filepath.Dir(bad), "bad")
}
