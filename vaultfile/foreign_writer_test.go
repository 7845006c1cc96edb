package vaultfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestForeignWriterIsNotOverwritten has a program that takes no lock put another file at the path while a
// change is worked out: a restore with cp or mv, or a symbolic link that leads elsewhere.
func TestForeignWriterIsNotOverwritten(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	foreign := readFile(t, createVault(t, u, map[string]string{"FOREIGN": "1"}))
	text := []byte("no vault, but a file of the same length as one: root:x:0:0::/root:/bin/sh")
	intrusions := map[string]func(path string) error{
		"cp":    func(path string) error { return os.WriteFile(path, foreign, 0o600) },
		"empty": func(path string) error { return os.Truncate(path, 0) },
		"mv": func(path string) error {
			return errors.Join(os.WriteFile(path+".other", foreign, 0o600), os.Rename(path+".other", path))
		},
		"link": func(path string) error {
			other := filepath.Join(filepath.Dir(path), "other")
			return errors.Join(os.WriteFile(other, text, 0o600), os.Remove(path), os.Symlink(other, path))
		},
	}
	for what, intrude := range intrusions {
		t.Run(what, func(t *testing.T) {
			path := createVault(t, u, map[string]string{"A": "1"})
			var stands []byte
			_, err := Update(t.Context(), path, u, UpdateOptions{}, func(d *Draft) error {
				if err := intrude(path); err != nil {
					t.Skip("cannot be done here: ", err)
				}
				stands = readFile(t, path)
				_, err := d.Set("B", []byte("2"))
				return err
			})
			wantError(t, err, ErrChanged)
			if !bytes.Equal(readFile(t, path), stands) {
				t.Error("what the other program put there is gone")
			}
		})
	}
}
