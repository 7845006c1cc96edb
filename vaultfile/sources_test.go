package vaultfile

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/mazevault/vault-tool/internal/durable"
)

// remoteSource is a passphrase from far away: while it is asked, the vault's lock has to be free for others.
type remoteSource struct {
	t          *testing.T
	vault      string
	passphrase passphrase
}

func (s remoteSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	lock, err := durable.Lock(ctx, s.vault, 0)
	if err != nil {
		s.t.Errorf("the source is asked while this process holds the lock: %v", err)
	} else if err := lock.Unlock(); err != nil {
		s.t.Error(err)
	}
	return s.passphrase.Passphrase(ctx, use)
}

func TestSourcesAreAskedWithoutTheLock(t *testing.T) {
	cheapKDF(t)
	set := func(d *Draft) error {
		_, err := d.Set("A", []byte("2"))
		return err
	}
	for name, c := range map[string]struct {
		missing bool
		write   func(ctx context.Context, path string, u, next *Unlocker) error
	}{
		"update": {false, func(ctx context.Context, path string, u, _ *Unlocker) error {
			return onlyError(Update(ctx, path, u, UpdateOptions{}, set))
		}},
		"update that creates": {true, func(ctx context.Context, path string, u, _ *Unlocker) error {
			return onlyError(Update(ctx, path, u, UpdateOptions{CreateMissing: true}, set))
		}},
		"create": {true, func(ctx context.Context, path string, u, _ *Unlocker) error {
			_, err := Create(ctx, path, u, CreateOptions{}, set)
			return err
		}},
		"create that replaces": {false, func(ctx context.Context, path string, u, _ *Unlocker) error {
			_, err := Create(ctx, path, u, CreateOptions{Replace: true}, set)
			return err
		}},
		"rekey": {false, func(ctx context.Context, path string, u, next *Unlocker) error {
			_, err := Rekey(ctx, path, u, next, RekeyOptions{})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secrets.vault")
			if !c.missing {
				path = createVault(t, newUnlocker(t, passphrase(testPassphrase)), map[string]string{"A": "1"})
			}
			u := newUnlocker(t, remoteSource{t, path, testPassphrase})
			if err := c.write(t.Context(), path, u, newUnlocker(t, remoteSource{t, path, "next"})); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestNoKeyNoLockFile: what fails for want of a key leaves nothing beside the vault that was to be.
func TestNoKeyNoLockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.vault")
	_, err := Update(t.Context(), path, newUnlocker(t, passphrase("")), UpdateOptions{CreateMissing: true}, func(*Draft) error { return nil })
	if err == nil {
		t.Fatal("an empty passphrase was taken")
	}
	wantFiles(t, filepath.Dir(path))
}
