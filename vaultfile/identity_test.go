package vaultfile

import (
	"errors"
	"os"
	"testing"

	"github.com/mazevault/vault-tool/keysource"
)

func TestIdentity(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, passphrase("an ordinary passphrase"))
	path := createVault(t, u, map[string]string{"A": "1"})
	identify := func() Identity {
		t.Helper()
		id, err := Identify(path)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := identify()
	writeFile(t, path, readFile(t, path)) // another file, the same content
	if identify() != first {
		t.Error("a copy has another identity")
	}
	set := func(value string) {
		t.Helper()
		if _, err := Update(t.Context(), path, u, UpdateOptions{}, setAll(map[string]string{"A": value})); err != nil {
			t.Fatal(err)
		}
	}
	set("2")
	second := identify()
	set("1")
	if third := identify(); second == first || third == second || third == first {
		t.Error("a rewritten vault kept its identity")
	}
}

func TestIdentifyErrors(t *testing.T) {
	path := t.TempDir() + "/secrets.vault"
	_, err := Identify(path)
	wantError(t, err, ErrNotExist)
	writeFile(t, path, []byte("MVT1"))
	_, err = Identify(path)
	wantError(t, err, ErrTooSmall)
	writeFile(t, path, make([]byte, minFileBytes))
	_, err = Identify(path)
	wantError(t, err, ErrNotVault)
	_, err = Identify(t.TempDir())
	wantError(t, err, ErrNotRegular)
}

// TestCheckReadsTheKeyAfresh: Open makes do with a key it remembers, Check does not.
func TestCheckReadsTheKeyAfresh(t *testing.T) {
	cheapKDF(t)
	key := t.TempDir() + "/vault.key"
	writeFile(t, key, []byte("the right passphrase"))
	u := newUnlocker(t, keysource.NewFile(key))
	path := createVault(t, u, map[string]string{"A": "1"})
	check := func(want error) {
		t.Helper()
		if err := u.Check(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("Check: %v, want %v", err, want)
		}
	}
	check(nil)
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, u, map[string]string{"A": "1"})
	check(keysource.ErrStat)
	writeFile(t, key, []byte("some other passphrase"))
	check(ErrDecryption)
	writeFile(t, key+keysource.SuccessorSuffix, []byte("the right passphrase"))
	check(nil)
}
