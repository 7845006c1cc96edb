package vaultfile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/durable"
)

const testPassphrase = passphrase("correct horse battery staple")

// wantReleased checks that nobody uses a key any more, so that the unlocker may drop it.
func wantReleased(tb testing.TB, u *Unlocker, derivations int) {
	tb.Helper()
	if len(u.keys) != derivations {
		tb.Errorf("%d keys derived, want %d", len(u.keys), derivations)
	}
	for i, k := range u.keys {
		if k.users != 0 {
			tb.Errorf("key %d has %d users", i, k.users)
		}
	}
}

func wantFiles(tb testing.TB, dir string, want ...string) {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if !slices.Equal(got, want) {
		tb.Errorf("the directory holds %q, want %q", got, want)
	}
}

func TestOpenErrors(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	whole := readFile(t, createVault(t, u, map[string]string{"A": "1"}))
	flip := func(at int) []byte {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1
		return damaged
	}
	for _, test := range []struct {
		name string
		file []byte
		want error
	}{
		{"empty", nil, ErrTooSmall},
		{"shortest", whole[:minFileBytes-1], ErrTooSmall},
		{"magic", flip(3), ErrNotVault},
		{"salt", flip(saltOffset), ErrDecryption},
		{"nonce", flip(nonceOffset), ErrDecryption},
		{"ciphertext", flip(payloadOffset), ErrDecryption},
		{"tag", flip(len(whole) - 1), ErrDecryption},
		{"cut", whole[:len(whole)-1], ErrDecryption},
		{"cut to the least", whole[:minFileBytes], ErrDecryption},
		{"appended", append(bytes.Clone(whole), 0), ErrDecryption},
		{"text", bytes.Repeat([]byte("not a vault\n"), 10), ErrNotVault},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secrets.vault")
			writeFile(t, path, test.file)
			_, err := Open(t.Context(), path, u)
			if wantError(t, err, test.want); !strings.Contains(err.Error(), path) {
				t.Errorf("%v does not name the file", err)
			}
		})
	}
}

func TestOpenOtherFiles(t *testing.T) {
	u := newUnlocker(t, testPassphrase)
	dir := t.TempDir()
	_, err := Open(t.Context(), filepath.Join(dir, "none"), u)
	wantError(t, err, ErrNotExist)
	wantError(t, err, fs.ErrNotExist)
	_, err = Open(t.Context(), filepath.Join(dir, "none", "none"), u)
	wantError(t, err, ErrNotExist)
	_, err = Open(t.Context(), dir, u)
	wantError(t, err, ErrNotRegular)

	huge := filepath.Join(dir, "huge")
	writeFile(t, huge, []byte(magic))
	if err := os.Truncate(huge, MaxFileBytes+1); err != nil {
		t.Skip("no sparse files here: ", err)
	}
	_, err = Open(t.Context(), huge, u)
	wantError(t, err, ErrFileTooLarge)
}

func TestOpenWithWrongPassphrase(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), map[string]string{"A": "1"})
	for _, wrong := range []passphrase{"x", testPassphrase + " ", testPassphrase + "\n", testPassphrase[1:]} {
		u := newUnlocker(t, wrong)
		_, err := Open(t.Context(), path, u)
		wantError(t, err, ErrDecryption)
		wantReleased(t, u, 1)
	}
	if _, err := Open(t.Context(), path, newUnlocker(t, passphrase(""))); err == nil || errors.Is(err, ErrDecryption) {
		t.Errorf("empty passphrase: %v", err)
	}
}

func TestUpdateKeepsSaltAndDrawsNonce(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), map[string]string{"A": "1", "B": "2"})
	before := readFile(t, path)
	u := newUnlocker(t, testPassphrase)
	_, err := Update(t.Context(), path, u, UpdateOptions{}, func(d *Draft) error {
		if d.New() {
			t.Error("an existing vault is said to be new")
		}
		if err := d.Delete("B"); err != nil {
			return err
		}
		_, err := d.Set("C", []byte("3"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	after := readFile(t, path)
	if saltOf(after) != saltOf(before) || nonceOf(after) == nonceOf(before) {
		t.Error("want the same salt and another nonce")
	}
	wantContent(t, path, u, map[string]string{"A": "1", "C": "3"})
	wantReleased(t, u, 1)
	wantFiles(t, filepath.Dir(path), "secrets.vault", "secrets.vault.lock")
}

func TestUpdateWithoutChangeWritesNothing(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path := createVault(t, u, map[string]string{"A": "1"})
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Update(t.Context(), path, u, UpdateOptions{}, func(d *Draft) error {
		for _, value := range []string{"2", "1"} {
			if _, err := d.Set("A", []byte(value)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("written though nothing changed (%v)", err)
	}
}

func TestUpdateMissingVault(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path := filepath.Join(t.TempDir(), "secrets.vault")
	change := setAll(map[string]string{"A": "1"})
	wantError(t, onlyError(Update(t.Context(), path, u, UpdateOptions{}, change)), ErrNotExist)
	wantFiles(t, filepath.Dir(path))
	if _, err := Update(t.Context(), path, u, UpdateOptions{CreateMissing: true}, change); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, u, map[string]string{"A": "1"})
	wantReleased(t, u, 1)

	other := newUnlocker(t, passphrase("another"))
	wantError(t, onlyError(Update(t.Context(), path, other, UpdateOptions{CreateMissing: true}, change)), ErrDecryption)
}

// TestFailedWrites lets writers fail in every way that has nothing to do with the disk: the file stays
// as it is, and nothing stays beside it.
func TestFailedWrites(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path := createVault(t, u, map[string]string{"A": "1"})
	before := readFile(t, path)
	failure := errors.New("of the callback")
	failing := func(d *Draft) error { return errors.Join(setAll(map[string]string{"A": "2"})(d), failure) }
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	during, cancelDuring := context.WithCancel(t.Context())
	cancelling := func(d *Draft) error {
		defer cancelDuring()
		return setAll(map[string]string{"A": "2"})(d)
	}
	change := setAll(map[string]string{"A": "2"})
	create := func(ctx context.Context, o CreateOptions, fill func(*Draft) error) error {
		_, err := Create(ctx, path, u, o, fill)
		return err
	}
	rekey := func(ctx context.Context, next passphrase, o RekeyOptions) error {
		_, err := Rekey(ctx, path, u, newUnlocker(t, next), o)
		return err
	}
	hook := func() error { return failure }
	for _, test := range []struct {
		name string
		run  func() error
		want error
	}{
		{"update, callback", func() error { return onlyError(Update(t.Context(), path, u, UpdateOptions{}, failing)) }, failure},
		{"update, cancelled", func() error { return onlyError(Update(cancelled, path, u, UpdateOptions{}, change)) }, context.Canceled},
		{"update, cancelled meanwhile", func() error { return onlyError(Update(during, path, u, UpdateOptions{}, cancelling)) }, context.Canceled},
		{"create", func() error { return create(t.Context(), CreateOptions{}, change) }, ErrExists},
		{"create, cancelled", func() error { return create(cancelled, CreateOptions{Replace: true}, change) }, context.Canceled},
		{"create, callback", func() error { return create(t.Context(), CreateOptions{Replace: true}, failing) }, failure},
		{"rekey, same", func() error { return rekey(t.Context(), testPassphrase, RekeyOptions{}) }, ErrSameKey},
		{"rekey, cancelled", func() error { return rekey(cancelled, "next", RekeyOptions{}) }, context.Canceled},
		{"rekey, hook", func() error { return rekey(t.Context(), "next", RekeyOptions{Prepare: hook}) }, failure},
	} {
		wantError(t, test.run(), test.want)
		if !bytes.Equal(readFile(t, path), before) {
			t.Errorf("%s: the vault has changed", test.name)
		}
		wantFiles(t, filepath.Dir(path), "secrets.vault", "secrets.vault.lock")
		for _, k := range u.keys {
			if k.users != 0 {
				t.Errorf("%s: a key is not released", test.name)
			}
		}
	}
}

func TestLockTimeout(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path := createVault(t, u, map[string]string{"A": "1"})
	before := readFile(t, path)
	lock, err := durable.Lock(t.Context(), path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	change := setAll(map[string]string{"A": "2"})
	for _, timeout := range []time.Duration{-1, 30 * time.Millisecond} {
		o := WriteOptions{LockTimeout: timeout}
		wantError(t, onlyError(Update(t.Context(), path, u, UpdateOptions{WriteOptions: o}, change)), ErrLockTimeout)
		_, err := Create(t.Context(), path, u, CreateOptions{WriteOptions: o, Replace: true}, change)
		wantError(t, err, ErrLockTimeout)
		_, err = Rekey(t.Context(), path, u, newUnlocker(t, passphrase("next")), RekeyOptions{WriteOptions: o})
		wantError(t, err, ErrLockTimeout)
	}
	waiting, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	wantError(t, onlyError(Update(waiting, path, u, UpdateOptions{}, change)), context.DeadlineExceeded)
	wantContent(t, path, u, map[string]string{"A": "1"}) // a reader takes no lock
	if !bytes.Equal(readFile(t, path), before) {
		t.Error("the vault has changed")
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := Update(t.Context(), path, u, UpdateOptions{}, change); err != nil {
		t.Error(err)
	}
}

func TestWriteThroughSymlink(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	dir, linkDir := t.TempDir(), t.TempDir()
	target, link := filepath.Join(dir, "target.vault"), filepath.Join(linkDir, "link.vault")
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	want := map[string]string{"A": "1"}
	if _, err := Create(t.Context(), link, u, CreateOptions{}, setAll(want)); err != nil { // dangling so far
		t.Fatal(err)
	}
	want["B"] = "2"
	if _, err := Update(t.Context(), link, u, UpdateOptions{}, setAll(want)); err != nil {
		t.Fatal(err)
	}
	wantContent(t, target, u, want)
	if _, err := Create(t.Context(), link, u, CreateOptions{Replace: true}, setAll(nil)); err != nil {
		t.Fatal(err)
	}
	next := newUnlocker(t, passphrase("next"))
	if _, err := Rekey(t.Context(), link, u, next, RekeyOptions{}); err != nil {
		t.Fatal(err)
	}
	wantContent(t, link, next, map[string]string{})
	wantFiles(t, dir, "target.vault", "target.vault.bak", "target.vault.lock")
	wantFiles(t, linkDir, "link.vault")
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
}

// TestLinkMovesDuringUpdate points a link at another vault while an update of the first waits for its
// lock. The two must not be mixed.
func TestLinkMovesDuringUpdate(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	first, second := createVault(t, u, map[string]string{"V": "1"}), createVault(t, u, map[string]string{"V": "2"})
	link := filepath.Join(t.TempDir(), "link.vault")
	if err := os.Symlink(first, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	_, err := Update(t.Context(), link, newUnlocker(t, &hookedSource{passphrase: testPassphrase, hook: func() {
		if err := errors.Join(os.Remove(link), os.Symlink(second, link)); err != nil {
			t.Error(err)
		}
	}}), UpdateOptions{}, setAll(map[string]string{"NEW": "x"}))
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, first, u, map[string]string{"V": "1", "NEW": "x"})
	wantContent(t, second, u, map[string]string{"V": "2"})
}

// hookedSource does something the first time that its passphrase is read.
type hookedSource struct {
	passphrase
	hook func()
}

func (s *hookedSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	if s.hook != nil {
		s.hook()
		s.hook = nil
	}
	return s.passphrase.Passphrase(ctx, use)
}

func TestLargeVaultRoundTrip(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	want := unmarshal(t, benchmarkPayload(5_000))
	path := createVault(t, u, want)
	want["SERVICE_000000_PASSWORD"] = strings.Repeat("\x01é", 1<<17)
	if _, err := Update(t.Context(), path, u, UpdateOptions{}, setAll(want)); err != nil {
		t.Fatal(err)
	}
	if got := readVault(t, path, u); !maps.Equal(got, want) {
		t.Error("content differs")
	}
}
