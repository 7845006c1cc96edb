//go:build unix

package vaultfile

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestOpenNamedPipe meets a pipe that nobody writes to: it must not wait.
func TestOpenNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.vault")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	u := newUnlocker(t, testPassphrase)
	_, err := Open(t.Context(), path, u)
	wantError(t, err, ErrNotRegular)
	wantError(t, onlyError(Update(t.Context(), path, u, UpdateOptions{}, setAll(nil))), ErrNotRegular)
	_, err = Create(t.Context(), path, u, CreateOptions{Replace: true}, setAll(nil))
	wantError(t, err, ErrNotRegular)
}
