package vaultfile

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
)

func TestVaultLookups(t *testing.T) {
	v := openPayload(t, []byte(`{"C":"3","A":"","a/b":"x\ny"}`))
	want := map[string]string{"C": "3", "A": "", "a/b": "x\ny"}
	if v.Len() != len(want) || !maps.Equal(content(t, v), want) {
		t.Errorf("%d secrets: %q", v.Len(), content(t, v))
	}
	if got, want := v.Names(), []string{"A", "C", "a/b"}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	for name, value := range want {
		if got, err := v.Get(name); err != nil || got != value || !v.Has(name) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "B", "AA", "a", "a/b ", "z"} {
		_, err := v.Get(name)
		if wantError(t, err, ErrNotFound); v.Has(name) {
			t.Errorf("Has(%q)", name)
		}
	}
}

func TestVaultCallbackErrors(t *testing.T) {
	v := openPayload(t, []byte(`{"A":"1","B":"2"}`))
	failure, calls := errors.New("of the callback"), 0
	wantError(t, v.Use("A", func([]byte) error { return failure }), failure)
	wantError(t, v.Each(func(string, []byte) error { calls++; return failure }), failure)
	if calls != 1 {
		t.Errorf("Each went on after an error: %d calls", calls)
	}
}

// TestVaultValueHasNoRoom appends to a value: that must not reach the secret behind it.
func TestVaultValueHasNoRoom(t *testing.T) {
	v := openPayload(t, []byte(`{"A":"1","B":"2"}`))
	err := v.Use("A", func(value []byte) error {
		_ = append(value, "xxxxxxxxxxxx"...)
		return nil
	})
	if got := content(t, v); err != nil || got["B"] != "2" {
		t.Errorf("%v, %q", err, got)
	}
}

func TestVaultClosed(t *testing.T) {
	v := openPayload(t, []byte(`{"A":"1"}`))
	v.Close()
	v.Close()
	(*Vault)(nil).Close()
	wantError(t, v.Use("A", func([]byte) error { return nil }), ErrClosed)
	wantError(t, v.Each(func(string, []byte) error { return nil }), ErrClosed)
	if _, err := v.Get("A"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if v.Has("A") || v.Len() != 0 || len(v.Names()) != 0 {
		t.Error("a closed vault still has secrets")
	}
}

func TestVaultConcurrentReaders(t *testing.T) {
	v := openPayload(t, benchmarkPayload(100))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, name := range v.Names() {
				if _, err := v.Get(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAppendNames(t *testing.T) {
	v := openPayload(t, []byte(`{".settings":"{}","B":"2","A":"1","a/C":""}`))
	if got := string(v.AppendNames([]byte("x"))); got != "xA\nB\na/C\n" {
		t.Errorf("%q", got)
	}
	v.Close()
	if got := v.AppendNames(nil); len(got) != 0 {
		t.Errorf("closed: %q", got)
	}
}
