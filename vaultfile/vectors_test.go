package vaultfile

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/kdftest"
	"github.com/mazevault/vault-tool/keysource"
)

const (
	vectorsDir = "../testdata/vectors"

	// goldenDir holds vaults that an early version of this package wrote. They are never regenerated:
	// whatever changes here, vaults written before must open.
	goldenDir = "../testdata/golden"
)

// openStored opens NAME.vault of dir with NAME.key. The key file is copied, because a checkout gives it
// a mode that keysource refuses.
func openStored(t *testing.T, dir, name string) (*Vault, error) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "vault.key")
	if err := os.WriteFile(key, readFile(t, filepath.Join(dir, name+".key")), 0o400); err != nil {
		t.Fatal(err)
	}
	u := newUnlocker(t, keysource.NewFile(key))
	v, err := OpenHistory(t.Context(), filepath.Join(dir, name+".vault"), u)
	t.Cleanup(v.Close)
	return v, err
}

func storedNames(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.vault"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".vault"))
	}
	return names
}

func TestVectors(t *testing.T) {
	kdftest.NeedsMVT1(t)
	if testing.Short() {
		t.Skip("the race detector, for which -short is, sees nothing here that it does not see elsewhere")
	}
	names := storedNames(t, vectorsDir)
	if len(names) < 30 {
		t.Fatalf("only %d vectors in %s", len(names), vectorsDir)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			v, err := openStored(t, vectorsDir, name)
			failure, readErr := os.ReadFile(filepath.Join(vectorsDir, name+".error"))
			if readErr == nil {
				wantKind(t, err, strings.TrimSpace(string(failure)))
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantStored(t, v, readFile(t, filepath.Join(vectorsDir, name+".json")))
		})
	}
}

// wantKind checks an error against the words that the vectors have for it.
func wantKind(t *testing.T, err error, kind string) {
	t.Helper()
	switch kind {
	case "decryption failed":
		wantError(t, err, ErrDecryption)
	case "file too small to be a valid vault":
		wantError(t, err, ErrTooSmall)
	case "not an MVT1 vault":
		wantError(t, err, ErrNotVault)
	default:
		var payloadErr *PayloadError
		if !errors.As(err, &payloadErr) || string(payloadErr.Reason) != kind {
			t.Errorf("error %v, want a PayloadError with the reason %q", err, kind)
		}
		wantError(t, err, ErrPayload)
	}
}

// wantStored checks a vault against its JSON, which is in the canonical form but for a last newline.
func wantStored(t *testing.T, v *Vault, canonical []byte) {
	t.Helper()
	want := unmarshal(t, canonical)
	maps.DeleteFunc(want, func(name, _ string) bool { return name[0] == reservedByte })
	if got := content(t, v); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := encoded(t, newDraft(v)); !bytes.Equal(got, bytes.TrimSuffix(canonical, []byte("\n"))) {
		t.Errorf("encoded again as\n%s, want\n%s", got, canonical)
	}
}

func TestGoldenVaults(t *testing.T) {
	kdftest.NeedsMVT1(t)
	names := storedNames(t, goldenDir)
	if len(names) < 3 {
		t.Fatalf("only %d golden vaults in %s", len(names), goldenDir)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			v, err := openStored(t, goldenDir, name)
			if err != nil {
				t.Fatal(err)
			}
			wantStored(t, v, readFile(t, filepath.Join(goldenDir, name+".json")))
		})
	}
}
