package vaultfile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/mazevault/vault-tool/keysource"
)

func TestRekey(t *testing.T) {
	cheapKDF(t)
	want := map[string]string{"A": "1", "B": "é\n"}
	path := createVault(t, newUnlocker(t, testPassphrase), want)
	before := readFile(t, path)
	u, next := newUnlocker(t, testPassphrase), newUnlocker(t, passphrase("next"))
	if rekeyed, err := rekey(t.Context(), path, u, next, RekeyOptions{}); !rekeyed || err != nil {
		t.Fatal(rekeyed, err)
	}
	wantReleased(t, u, 1)
	wantReleased(t, next, 1)
	after := readFile(t, path)
	if saltOf(after) == saltOf(before) || nonceOf(after) == nonceOf(before) {
		t.Error("salt or nonce stayed")
	}
	wantContent(t, path, next, want)
	_, err := Open(t.Context(), path, u)
	wantError(t, err, ErrDecryption)
	wantFiles(t, filepath.Dir(path), "secrets.vault", "secrets.vault.lock")
}

// TestRekeyForgetsCachedKey: a rotation that does not get to its end has forgotten the old key all the same,
// for the vault may have been replaced already.
func TestRekeyForgetsCachedKey(t *testing.T) {
	cheapKDF(t)
	cache := &mapCache{keys: make(map[string]string)}
	warm := NewUnlocker(passphrase(testPassphrase), WithKeyCache(cache))
	t.Cleanup(warm.Close)
	path := createVault(t, warm, map[string]string{"A": "1"})
	wantContent(t, path, warm, map[string]string{"A": "1"})
	if len(cache.keys) != 1 {
		t.Fatalf("%d cached keys after an opening", len(cache.keys))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cache.forgotten = cancel
	oldKey := NewUnlocker(passphrase(testPassphrase), WithKeyCache(cache))
	t.Cleanup(oldKey.Close)
	_, err := Rekey(ctx, path, oldKey, newUnlocker(t, passphrase("another")), RekeyOptions{})
	wantError(t, err, context.Canceled)
	if len(cache.keys) != 0 {
		t.Error("the old key is still cached")
	}
	wantContent(t, path, warm, map[string]string{"A": "1"})
}

// mapCache is a cache that trusts whoever asks.
type mapCache struct {
	keys      map[string]string // by salt
	forgotten func()            // called when a key is forgotten
}

func (c *mapCache) Load(key, _, salt []byte) bool {
	copy(key, c.keys[string(salt)])
	return c.keys[string(salt)] != ""
}

func (c *mapCache) Store(key, _, salt []byte) { c.keys[string(salt)] = string(key) }

func (c *mapCache) Forget(salt []byte) {
	delete(c.keys, string(salt))
	c.forgotten()
}

func TestRekeyAgainIsDone(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), map[string]string{"A": "1"})
	again := func() (rekeyed, finished bool) {
		finish := func() error { finished = true; return nil }
		rekeyed, err := rekey(t.Context(), path, newUnlocker(t, testPassphrase), newUnlocker(t, passphrase("next")), RekeyOptions{Finish: finish})
		if err != nil {
			t.Fatal(err)
		}
		return rekeyed, finished
	}
	if rekeyed, finished := again(); !rekeyed || !finished {
		t.Errorf("first: rekeyed %v, finished %v", rekeyed, finished)
	}
	before := readFile(t, path)
	if rekeyed, finished := again(); rekeyed || !finished {
		t.Errorf("again: rekeyed %v, finished %v", rekeyed, finished)
	}
	if !bytes.Equal(readFile(t, path), before) {
		t.Error("the second time wrote")
	}
}

func TestRekeyWithNeitherKey(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), nil)
	_, err := Rekey(t.Context(), path, newUnlocker(t, passphrase("x")), newUnlocker(t, passphrase("y")), RekeyOptions{
		Prepare: func() error { t.Error("prepared"); return nil },
	})
	wantError(t, err, ErrDecryption)
}

func TestRekeyMissingVault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.vault")
	_, err := Rekey(t.Context(), path, newUnlocker(t, testPassphrase), newUnlocker(t, passphrase("next")), RekeyOptions{})
	wantError(t, err, ErrNotExist)
	wantFiles(t, filepath.Dir(path))
}

// keyFileRotation is a vault with a key file, and the rotation of both in place.
type keyFileRotation struct {
	vault, key string
}

func newKeyFileRotation(t *testing.T, secrets map[string]string) keyFileRotation {
	t.Helper()
	dir := t.TempDir()
	r := keyFileRotation{vault: filepath.Join(dir, "secrets.vault"), key: filepath.Join(dir, "vault.key")}
	if err := keysource.Generate(r.key); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), r.vault, r.unlocker(t), CreateOptions{}, setAll(secrets)); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r keyFileRotation) successor() string { return r.key + keysource.SuccessorSuffix }

func (r keyFileRotation) unlocker(tb testing.TB) *Unlocker {
	return newUnlocker(tb, keysource.NewFile(r.key))
}

func (r keyFileRotation) prepare() error {
	if err := keysource.GenerateSuccessor(r.key); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (r keyFileRotation) finish() error { return os.Rename(r.successor(), r.key) }

func (r keyFileRotation) rotate(t *testing.T, o RekeyOptions) (bool, error) {
	t.Helper()
	return rekey(t.Context(), r.vault, r.unlocker(t), newUnlocker(t, keysource.NewFile(r.successor())), o)
}

// TestRekeyInterrupted stops a rotation of vault and key file after each of its steps. The key file
// opens the vault all the time, and the rotation can be completed.
func TestRekeyInterrupted(t *testing.T) {
	cheapKDF(t)
	stop := errors.New("stopped")
	want := map[string]string{"A": "1"}
	for _, test := range []struct {
		name        string
		interrupted RekeyOptions
		rekeyed     bool // by the second run
	}{
		{"before a key is made", RekeyOptions{Prepare: func() error { return stop }}, true},
		{"with the key made", RekeyOptions{}, true},
		{"with the vault under the new key", RekeyOptions{Finish: func() error { return stop }}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newKeyFileRotation(t, want)
			first := test.interrupted
			switch {
			case first.Finish != nil:
				first.Prepare = r.prepare
			case first.Prepare == nil:
				first.Prepare = func() error { return errors.Join(r.prepare(), stop) }
			}
			_, err := r.rotate(t, first)
			wantError(t, err, stop)
			wantContent(t, r.vault, r.unlocker(t), want)
			_, err = Update(t.Context(), r.vault, r.unlocker(t), UpdateOptions{}, setAll(map[string]string{"A": "2"}))
			if err != nil {
				t.Error(err)
			}
			rekeyed, err := r.rotate(t, RekeyOptions{Prepare: r.prepare, Finish: r.finish})
			if err != nil || rekeyed != test.rekeyed {
				t.Errorf("second run: rekeyed %v, %v", rekeyed, err)
			}
			wantContent(t, r.vault, r.unlocker(t), map[string]string{"A": "2"})
			wantFiles(t, filepath.Dir(r.vault), "secrets.vault", "secrets.vault.lock", "vault.key")
		})
	}
}

// TestRekeyDerivesBothAtOnce, and once each: the key of the vault as it is and the fresh one, also where the new key is only
// made by Prepare, if its source has it before.
func TestRekeyDerivesBothAtOnce(t *testing.T) {
	cheapKDF(t)
	for _, prepared := range []bool{false, true} {
		path := createVault(t, newUnlocker(t, testPassphrase), nil)
		derived := 0
		old := NewUnlocker(passphrase(testPassphrase), WithKeyCache(&countedCache{derived: &derived}))
		next := NewUnlocker(passphrase("the new passphrase"), WithKeyCache(&countedCache{derived: &derived}))
		defer old.Close()
		defer next.Close()
		o := RekeyOptions{}
		if prepared {
			o.Prepare = func() error { return nil }
		}
		rekeyed, err := rekey(t.Context(), path, old, next, o)
		if err != nil || !rekeyed {
			t.Fatal(rekeyed, err)
		}
		if derived != 1 { // the cache is asked for the key of the vault, and never for one of a fresh salt
			t.Errorf("Prepare %v: the cache was asked %d times", prepared, derived)
		}
		if len(next.keys) != 1 || len(old.keys) != 1 {
			t.Errorf("Prepare %v: %d and %d keys were derived", prepared, len(old.keys), len(next.keys))
		}
	}
}

// TestRekeyToAKeyThatChanges between the derivation ahead and Prepare: what the source has behind Prepare counts.
func TestRekeyToAKeyThatChanges(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), nil)
	old := NewUnlocker(passphrase(testPassphrase))
	defer old.Close()
	source := &changingSource{now: "drawn first"}
	next := NewUnlocker(source)
	defer next.Close()
	rekeyed, err := rekey(t.Context(), path, old, next, RekeyOptions{Prepare: func() error {
		source.now = "put there by another"
		return nil
	}})
	if err != nil || !rekeyed {
		t.Fatal(rekeyed, err)
	}
	u := NewUnlocker(passphrase("put there by another"))
	defer u.Close()
	if err := u.Check(t.Context(), path); err != nil {
		t.Error(err)
	}
}

type countedCache struct{ derived *int }

func (c *countedCache) Load(_, _, _ []byte) bool { *c.derived++; return false }
func (c *countedCache) Store(_, _, _ []byte)     {}
func (c *countedCache) Forget([]byte)            {}
