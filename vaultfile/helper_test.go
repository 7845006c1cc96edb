package vaultfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mazevault/vault-tool/kdf"
)

// passphrase is a source that has its passphrase by itself.
type passphrase string

func (p passphrase) Passphrase(_ context.Context, use func([]byte) error) error {
	return use([]byte(p))
}

// cheapKDF makes the derivations of one test cost next to nothing. Tests that call it are not parallel.
// What MVT1 really derives is for the vectors, the golden vaults and the independent reader to prove.
func cheapKDF(tb testing.TB) {
	tb.Helper()
	before := kdfParams
	kdfParams = kdf.Params{MemoryKiB: 64, Iterations: 1, Lanes: 1, KeyBytes: before.KeyBytes}
	tb.Cleanup(func() { kdfParams = before })
}

func newUnlocker(tb testing.TB, source PassphraseSource) *Unlocker {
	tb.Helper()
	u := NewUnlocker(source)
	tb.Cleanup(u.Close)
	return u
}

// setAll is a callback of Update and Create.
func setAll(secrets map[string]string) func(*Draft) error {
	return func(d *Draft) error {
		for _, name := range slices.Sorted(maps.Keys(secrets)) {
			if _, err := d.Set(name, []byte(secrets[name])); err != nil {
				return err
			}
		}
		return nil
	}
}

// createVault makes a vault in a directory of its own and returns its path.
func createVault(tb testing.TB, u *Unlocker, secrets map[string]string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "secrets.vault")
	if _, err := Create(tb.Context(), path, u, CreateOptions{}, setAll(secrets)); err != nil {
		tb.Fatal(err)
	}
	return path
}

// content returns what a vault holds.
func content(tb testing.TB, v *Vault) map[string]string {
	tb.Helper()
	secrets := make(map[string]string)
	err := v.Each(func(name string, value []byte) error {
		secrets[name] = string(value)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return secrets
}

// readVault opens the vault at path and returns what it holds.
func readVault(tb testing.TB, path string, u *Unlocker) map[string]string {
	tb.Helper()
	v, err := Open(tb.Context(), path, u)
	if err != nil {
		tb.Fatal(err)
	}
	defer v.Close()
	return content(tb, v)
}

func wantContent(tb testing.TB, path string, u *Unlocker, want map[string]string) {
	tb.Helper()
	if got := readVault(tb, path, u); !maps.Equal(got, want) {
		tb.Errorf("%s holds %q, want %q", path, got, want)
	}
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

func writeFile(tb testing.TB, path string, content []byte) {
	tb.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func wantError(tb testing.TB, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Errorf("error %v, want %v", err, want)
	}
}

// unmarshal is how the standard library reads a payload.
func unmarshal(tb testing.TB, payload []byte) map[string]string {
	tb.Helper()
	var secrets map[string]string
	if err := json.Unmarshal(payload, &secrets); err != nil {
		tb.Fatal(err)
	}
	return secrets
}

// encoded returns what the draft would be written as.
func encoded(tb testing.TB, d *Draft) []byte {
	tb.Helper()
	buf, err := d.encode()
	if err != nil {
		tb.Fatal(err)
	}
	defer buf.Destroy()
	return bytes.Clone(buf.Bytes())
}

func saltOf(file []byte) [saltBytes]byte { return [saltBytes]byte(file[saltOffset:nonceOffset]) }

func nonceOf(file []byte) [nonceBytes]byte { return [nonceBytes]byte(file[nonceOffset:payloadOffset]) }

// onlyError drops what was written, for tests of errors.
func onlyError(_ Written, err error) error { return err }

// rekey is Rekey that only tells whether the vault was re-encrypted.
func rekey(ctx context.Context, path string, oldKey, newKey *Unlocker, o RekeyOptions) (bool, error) {
	w, err := Rekey(ctx, path, oldKey, newKey, o)
	return w.Outcome == Updated, err
}
