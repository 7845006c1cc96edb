package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/vaultfile"
)

// passphrase is a source that is its passphrase.
type passphrase string

func (p passphrase) Passphrase(_ context.Context, use func([]byte) error) error {
	return use([]byte(p))
}

// derivations is a cache that never has a key, and counts how often one is asked for.
type derivations struct{ n atomic.Int32 }

func (d *derivations) Load(_, _, _ []byte) bool { d.n.Add(1); return false }
func (*derivations) Store(_, _, _ []byte)       {}
func (*derivations) Forget([]byte)              {}

func newKeyring(t *testing.T, count *derivations, passphrases ...string) *keyring.Keyring {
	t.Helper()
	var keys []keyring.Key
	for _, p := range passphrases {
		u := vaultfile.NewUnlocker(passphrase(p), vaultfile.WithKeyCache(count))
		t.Cleanup(u.Close)
		keys = append(keys, keyring.Key{Name: p, Unlocker: u})
	}
	return keyring.New(keys...)
}

// vaults makes n copies of one vault under a passphrase, as backups are: one salt, a nonce each.
func vaults(t *testing.T, dir, under string, n int) []string {
	t.Helper()
	u := vaultfile.NewUnlocker(passphrase(under))
	defer u.Close()
	var paths []string
	path := filepath.Join(dir, under+".vault")
	for i := range n {
		set := func(d *vaultfile.Draft) error { _, err := d.Set("NUMBER", fmt.Append(nil, i)); return err }
		if _, err := vaultfile.Update(t.Context(), path, u, vaultfile.UpdateOptions{CreateMissing: true}, set); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, copyOf(t, path, fmt.Sprintf("%s.%d", path, i)))
	}
	return paths
}

func TestOneDerivationForEachKeyAndSalt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := vaults(t, dir, "the first passphrase", 5), vaults(t, dir, "the second passphrase", 5)
	tests := map[string]struct {
		paths []string
		want  int32
	}{
		"in order":         {slices.Concat(first, second), 2}, // the second key has opened nothing yet, and is tried first
		"the other way":    {slices.Concat(second, first), 3},
		"only the second":  {second, 2},
		"only the first":   {first, 1},
		"alternating":      {[]string{first[0], second[0], first[1], second[1]}, 2},
		"one of each, all": {slices.Concat(first[:1], second[:1]), 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var count derivations
			r := newKeyring(t, &count, "the first passphrase", "the second passphrase")
			for _, path := range tt.paths {
				v, key, err := r.Open(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				v.Close()
				if want := filepath.Base(path); want[:len(key)] != key {
					t.Errorf("%s was opened by %q", path, key)
				}
			}
			if got := count.n.Load(); got != tt.want {
				t.Errorf("%d derivations, want %d", got, tt.want)
			}
		})
	}
}

func TestManyAtOnceDeriveNoMore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	paths := slices.Concat(vaults(t, dir, "the first passphrase", 8), vaults(t, dir, "the second passphrase", 8))
	var count derivations
	r := newKeyring(t, &count, "the first passphrase", "the second passphrase")
	var all sync.WaitGroup
	for _, path := range paths {
		all.Go(func() {
			v, _, err := r.OpenHistory(t.Context(), path)
			if err != nil {
				t.Error(err)
			}
			v.Close()
		})
	}
	all.Wait()
	if got := count.n.Load(); got > 3 { // two, or three where a vault of the second came first
		t.Errorf("%d derivations", got)
	}
}

func TestNoKeyFits(t *testing.T) {
	t.Parallel()
	paths := vaults(t, t.TempDir(), "another passphrase", 2)
	var count derivations
	r := newKeyring(t, &count, "the first passphrase", "the second passphrase")
	for range 2 {
		for _, path := range paths {
			if _, _, err := r.Open(t.Context(), path); !errors.Is(err, vaultfile.ErrDecryption) {
				t.Errorf("%v", err)
			}
		}
	}
	if got := count.n.Load(); got != 2 {
		t.Errorf("%d derivations for two keys and one salt", got)
	}
}

// A vault whose salt is known may be damaged. That costs a look with the other keys, and is told as no key fits.
func TestDamagedAmongGood(t *testing.T) {
	t.Parallel()
	paths := vaults(t, t.TempDir(), "the first passphrase", 3)
	flipLastByte(t, paths[1])
	var count derivations
	r := newKeyring(t, &count, "the first passphrase", "the second passphrase")
	for i, path := range paths {
		v, _, err := r.Open(t.Context(), path)
		v.Close()
		if got := errors.Is(err, vaultfile.ErrDecryption); got != (i == 1) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got := count.n.Load(); got != 2 {
		t.Errorf("%d derivations", got)
	}
}

func TestFilesThatAreNoVault(t *testing.T) {
	t.Parallel()
	var count derivations
	r := newKeyring(t, &count, "the first passphrase")
	for path, want := range map[string]error{
		filepath.Join(t.TempDir(), "absent"):        vaultfile.ErrNotExist,
		write(t, "short", "MVT1"):                   vaultfile.ErrTooSmall,
		write(t, "text", string(make([]byte, 100))): vaultfile.ErrNotVault,
	} {
		if _, _, err := r.Open(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got := count.n.Load(); got != 0 {
		t.Errorf("%d derivations for files that are no vault", got)
	}
}

func TestNobodyWaitsLongerThanItsContext(t *testing.T) {
	t.Parallel()
	path := vaults(t, t.TempDir(), "the first passphrase", 1)[0]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var count derivations
	r := newKeyring(t, &count, "the first passphrase")
	if _, _, err := r.Open(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
