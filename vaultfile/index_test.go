package vaultfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/keysource"
)

func TestIndexFindsWhatSearchFinds(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 27, 1000, 5000} {
		plain, indexed := openPayload(t, benchmarkPayload(n)), openPayload(t, benchmarkPayload(n))
		indexed.Index()
		indexed.Index() // again changes nothing
		names := append(plain.Names(), "", "SERVICE", "SERVICE_000000_PASSWOR", "SERVICE_000000_PASSWORDS", "é", "\xff")
		for _, name := range names {
			want, wantErr := plain.Get(name)
			got, err := indexed.Get(name)
			if got != want || (err == nil) != (wantErr == nil) || indexed.Has(name) != plain.Has(name) {
				t.Fatalf("%d secrets, %q: %q, %v; without index %q, %v", n, name, got, err, want, wantErr)
			}
		}
	}
}

// TestIndexOfLongNames: names of all lengths, many with the beginning and the end in common.
func TestIndexOfLongNames(t *testing.T) {
	secrets := make(map[string]string)
	for n := 1; n <= MaxNameBytes; n++ {
		name := strings.Repeat("N", n)
		for _, name := range []string{name, name[:n-1] + "M", "M" + name[1:]} {
			secrets[name] = "value of " + name
		}
	}
	payload, err := json.Marshal(secrets)
	if err != nil {
		t.Fatal(err)
	}
	v := openPayload(t, payload)
	v.Index()
	for name, want := range secrets {
		if got, err := v.Get(name); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		for _, absent := range []string{name + "X", name[:len(name)-1] + "X", "X" + name[1:]} {
			if v.Has(absent) {
				t.Errorf("%s is there", absent)
			}
		}
	}
}

func TestTryUse(t *testing.T) {
	for _, prepare := range []func(*Vault){func(*Vault) {}, (*Vault).Index} {
		v := openPayload(t, []byte(`{"A":"1","B":""}`))
		prepare(v)
		failure := errors.New("of the callback")
		found, err := v.TryUse("A", func(value []byte) error {
			if string(value) != "1" {
				t.Errorf("value %q", value)
			}
			return failure
		})
		if wantError(t, err, failure); !found {
			t.Error("A was not found")
		}
		if found, err := v.TryUse("B", func([]byte) error { return nil }); !found || err != nil {
			t.Error("an empty value:", found, err)
		}
		never := func([]byte) error { t.Error("called for a missing name"); return nil }
		if found, err := v.TryUse("C", never); found || err != nil {
			t.Error("a missing name:", found, err)
		}
		v.Close()
		v.Index()
		if found, err := v.TryUse("A", never); found || err != nil {
			t.Error("a closed vault:", found, err)
		}
	}
}

// TestIndexedLookupAllocatesNothing: a provider promises it.
func TestIndexedLookupAllocatesNothing(t *testing.T) {
	v := openPayload(t, benchmarkPayload(1000))
	v.Index()
	for _, name := range []string{"SERVICE_000500_PASSWORD", "MISSING"} {
		allocations := testing.AllocsPerRun(100, func() {
			_, _ = v.TryUse(name, func([]byte) error { return nil })
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
}

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
		if err := Update(t.Context(), path, u, UpdateOptions{}, setAll(map[string]string{"A": value})); err != nil {
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

func TestFromJSON(t *testing.T) {
	src := []byte(`{"B":"x\ny","A":""}`)
	v, err := FromJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if got := content(t, v); len(got) != 2 || got["B"] != "x\ny" || got["A"] != "" {
		t.Errorf("content %q", got)
	}
	if string(src) != `{"B":"x\ny","A":""}` {
		t.Errorf("the source was changed to %q", src)
	}
	for _, bad := range []string{"", "[]", `{"A":1}`, `{"A":"1","A":"2"}`, `{"-":""}`} {
		_, err := FromJSON([]byte(bad))
		wantError(t, err, ErrPayload)
	}
}

func BenchmarkIndex(b *testing.B) {
	forSizes(b, func(b *testing.B, payload []byte) {
		v := openPayload(b, payload)
		for b.Loop() {
			v.index = nil
			v.Index()
		}
	})
}

// BenchmarkIndexedUse goes through all names, so that at 100,000 it pays for the memory's latency too.
func BenchmarkIndexedUse(b *testing.B) {
	forSizes(b, func(b *testing.B, payload []byte) {
		v := openPayload(b, payload)
		v.Index()
		names := v.Names()
		b.SetBytes(0)
		for i := 0; b.Loop(); i += 7919 {
			if found, _ := v.TryUse(names[i%len(names)], func([]byte) error { return nil }); !found {
				b.Fatal(fmt.Sprint("missing ", i))
			}
		}
	})
}
