package vaultfile

import (
	"maps"
	"os"
	"strings"
	"testing"
)

// reservedPayload has entries of the tool before, between and behind the secrets.
const reservedPayload = `{"A":"1",".settings":"{\"v\":1}","acme/B":"2",".history/A":"old\u0001","C":"3"}`

const reservedCanonical = `{".history/A":"old\u0001",".settings":"{\"v\":1}","A":"1","C":"3","acme/B":"2"}`

func TestReservedEntriesAreNotShown(t *testing.T) {
	v := openPayload(t, []byte(reservedPayload))
	want := map[string]string{"A": "1", "C": "3", "acme/B": "2"}
	if got := content(t, v); !maps.Equal(got, want) || v.Len() != len(want) || len(v.Names()) != len(want) {
		t.Errorf("content %q, length %d, names %q", got, v.Len(), v.Names())
	}
	for _, name := range []string{".settings", ".history/A"} {
		if _, err := v.Get(name); v.Has(name) || err == nil {
			t.Errorf("%s is given", name)
		}
	}

	d := newDraft(v)
	if d.Has(".settings") || len(d.Names()) != 3 || d.Len() != 3 || d.Delete(".settings") == nil {
		t.Error("a draft gives what belongs to the tool")
	}
	_, err := d.Set(".settings", []byte("mine"))
	wantError(t, err, ErrBadName)
	wantError(t, newDraft(nil).SetJSON([]byte(`{"A":"1",".x":"2"}`)), ErrBadName)
	wantError(t, newDraft(v).SetJSON([]byte(`{"A":"1",".x":"2"}`)), ErrBadName)
}

// TestReservedEntriesAreKept byte for byte, whatever is written.
func TestReservedEntriesAreKept(t *testing.T) {
	v := openPayload(t, []byte(reservedPayload))
	if got := encoded(t, newDraft(v)); string(got) != reservedCanonical {
		t.Errorf("unchanged: %s", got)
	}
	d := newDraft(v)
	if err := d.Delete("A"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Set("B", []byte("new")); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(reservedCanonical, `"A":"1",`, `"B":"new",`, 1)
	if got := encoded(t, d); string(got) != want {
		t.Errorf("changed:\n%s, want\n%s", got, want)
	}
}

// TestReservedEntriesSurviveFiles goes through update, rotation and replacement as a whole.
func TestReservedEntriesSurviveFiles(t *testing.T) {
	cheapKDF(t)
	u, next := newUnlocker(t, testPassphrase), newUnlocker(t, passphrase("the next passphrase"))
	path := createVault(t, u, nil)
	seedPayload(t, path, u, reservedPayload)

	if _, err := Update(t.Context(), path, u, UpdateOptions{}, setAll(map[string]string{"A": "2"})); err != nil {
		t.Fatal(err)
	}
	wantPayload(t, path, u, strings.Replace(reservedCanonical, `"A":"1"`, `"A":"2"`, 1))
	if _, err := Rekey(t.Context(), path, u, next, RekeyOptions{}); err != nil {
		t.Fatal(err)
	}
	wantPayload(t, path, next, strings.Replace(reservedCanonical, `"A":"1"`, `"A":"2"`, 1))
	_, err := Create(t.Context(), path, next, CreateOptions{Replace: true}, setAll(map[string]string{"Z": "26"}))
	if err != nil {
		t.Fatal(err)
	}
	wantPayload(t, path, next, `{".history/A":"old\u0001",".settings":"{\"v\":1}","Z":"26"}`)
}

// seedPayload puts a vault with that payload at path, under u's key.
func seedPayload(t *testing.T, path string, u *Unlocker, payload string) {
	t.Helper()
	old, _, k, err := u.decrypt(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	old.Destroy()
	defer u.release(k)
	file, err := seal(k, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantPayload(t *testing.T, path string, u *Unlocker, want string) {
	t.Helper()
	payload, _, k, err := u.decrypt(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer payload.Destroy()
	u.release(k)
	if string(payload.Bytes()) != want {
		t.Errorf("payload\n%s, want\n%s", payload.Bytes(), want)
	}
}
