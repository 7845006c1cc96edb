package vaultfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDerivationsAreRemembered reads a vault that changes, and copies of it: one derivation.
func TestDerivationsAreRemembered(t *testing.T) {
	cheapKDF(t)
	writer := newUnlocker(t, testPassphrase)
	path := createVault(t, writer, map[string]string{"A": "0"})
	source := &countingSource{passphrase: testPassphrase}
	u := newUnlocker(t, source)
	for i := range 5 {
		want := map[string]string{"A": fmt.Sprint(i + 1)}
		if _, err := Update(t.Context(), path, writer, UpdateOptions{}, setAll(want)); err != nil {
			t.Fatal(err)
		}
		backup := filepath.Join(t.TempDir(), "backup.vault")
		writeFile(t, backup, readFile(t, path))
		wantContent(t, path, u, want)
		wantContent(t, backup, u, want)
	}
	wantReleased(t, u, 1)
	wantReleased(t, writer, 1)
	if source.reads != 1 {
		t.Errorf("the passphrase was read %d times, want once", source.reads)
	}
}

type countingSource struct {
	passphrase
	reads int
}

func (s *countingSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	s.reads++
	return s.passphrase.Passphrase(ctx, use)
}

// TestFailedOpenDerivesOnce opens with a wrong passphrase, and with a wrong successor too.
func TestFailedOpenDerivesOnce(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), nil)
	u := newUnlocker(t, &staticRotation{passphrase: "wrong", next: "also wrong"})
	for range 2 {
		_, err := Open(t.Context(), path, u)
		wantError(t, err, ErrDecryption)
		wantReleased(t, u, 2)
	}
}

// TestCancelledDuringDerivation: a context that ends while a key is derived ends the opening, and the key
// that was derived counts as used by nobody.
func TestCancelledDuringDerivation(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), map[string]string{"A": "1"})
	for _, source := range []PassphraseSource{passphrase(testPassphrase), &staticRotation{passphrase: "wrong", next: testPassphrase}} {
		ctx, cancel := context.WithCancel(t.Context())
		u := newUnlocker(t, cancellingSource{source, cancel})
		_, err := Open(ctx, path, u)
		wantError(t, err, context.Canceled)
		wantReleased(t, u, 1)
		wantContent(t, path, u, map[string]string{"A": "1"})
	}
}

// cancellingSource ends a context when its passphrase has been used.
type cancellingSource struct {
	PassphraseSource
	cancel context.CancelFunc
}

func (s cancellingSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	defer s.cancel()
	return s.PassphraseSource.Passphrase(ctx, use)
}

func (s cancellingSource) Successor(ctx context.Context, use func([]byte) error) (string, error) {
	if successor, ok := s.PassphraseSource.(SuccessorSource); ok {
		return successor.Successor(ctx, use)
	}
	return "", nil
}

// staticRotation is a source with a successor.
type staticRotation struct {
	passphrase
	next passphrase
	err  error
}

func (s *staticRotation) Successor(ctx context.Context, use func([]byte) error) (string, error) {
	if s.err != nil {
		return "", s.err
	}
	return "next", s.next.Passphrase(ctx, use)
}

func TestSuccessorOpens(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), map[string]string{"A": "1"})
	u := newUnlocker(t, &staticRotation{passphrase: "old", next: testPassphrase})
	wantContent(t, path, u, map[string]string{"A": "1"})
	if _, err := Update(t.Context(), path, u, UpdateOptions{}, setAll(map[string]string{"A": "2"})); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, newUnlocker(t, testPassphrase), map[string]string{"A": "2"}) // still the key it had
}

// TestUnreadableSuccessor reports the decryption as what failed, and the successor beside it. Where the
// key itself opens the vault the successor does not matter.
func TestUnreadableSuccessor(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), nil)
	failure := errors.New("permissions")
	_, err := Open(t.Context(), path, newUnlocker(t, &staticRotation{passphrase: "wrong", err: failure}))
	wantError(t, err, ErrDecryption)
	wantError(t, err, failure)
	wantContent(t, path, newUnlocker(t, &staticRotation{passphrase: testPassphrase, err: failure}), map[string]string{})
}

// TestVaultVanishesWhileRead removes the vault between two looks at it: that is no matter of the key's
// successor.
func TestVaultVanishesWhileRead(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), nil)
	source := &hookedSource{passphrase: "wrong", hook: func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}}
	_, err := Open(t.Context(), path, newUnlocker(t, source))
	wantError(t, err, ErrNotExist)
	if errors.Is(err, ErrDecryption) || strings.Contains(err.Error(), "successor") {
		t.Error(err)
	}
}

func TestSourceErrorIsReturned(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), nil)
	failure := errors.New("no passphrase today")
	_, err := Open(t.Context(), path, newUnlocker(t, failingSource{failure}))
	wantError(t, err, failure)
}

type failingSource struct{ err error }

func (s failingSource) Passphrase(context.Context, func([]byte) error) error { return s.err }

func TestUnlockerClosed(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path := createVault(t, u, nil)
	u.Close()
	u.Close()
	_, err := Open(t.Context(), path, u)
	wantError(t, err, ErrClosed)
	if len(u.keys) != 0 {
		t.Error("a closed unlocker remembers keys")
	}
}

// TestUnlockerForgets opens more vaults than an unlocker has room for keys.
func TestUnlockerForgets(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	var paths []string
	for range maxRememberedKeys + 5 {
		paths = append(paths, createVault(t, u, nil))
	}
	wantReleased(t, u, maxRememberedKeys)
	for _, path := range paths {
		wantContent(t, path, u, map[string]string{})
	}
	wantReleased(t, u, maxRememberedKeys)
}

func TestUnlockerKeepsKeysInUse(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	held, err := u.freshKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range maxRememberedKeys {
		k, err := u.freshKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		u.release(k)
	}
	if u.keys[0] != held {
		t.Error("a key in use was dropped")
	}
	u.release(held)
}
