package vaultfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/keysource"
)

// canary stands in every secret of the tests of this file.
const canary = "CANARY"

// canaryForms are the ways in which a canary could be printed.
var canaryForms = []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), strings.Trim(fmt.Sprint([]byte(canary)), "[]")}

func wantNoCanary(t *testing.T, what, text string) {
	t.Helper()
	for _, form := range canaryForms {
		if strings.Contains(text, form) {
			t.Errorf("%s shows a secret: %.300s", what, text)
		}
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, passphrase(canary+" passphrase"))
	path := createVault(t, u, map[string]string{"A": canary})
	v, err := Open(t.Context(), path, u)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	d := newDraft(v)
	if _, err := d.Set("B", []byte(canary)); err != nil {
		t.Fatal(err)
	}
	k := u.keys[0]
	for _, pointer := range []any{v, d, u, k} { // of a struct, %p would print the fields, whatever its methods are
		wantNoCanary(t, "%p", fmt.Sprintf("%p", pointer))
	}
	for name, value := range map[string]any{
		"Vault": v, "Vault by value": *v, "Draft": d, "Draft by value": *d, "Unlocker": u, "File": keysource.NewFile(path),
		"derivedKey": k, "in a struct": struct{ V *Vault }{v}, "in a slice": []any{v, d, u}, "in a map": map[string]any{"v": v},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%o", "%U", "% x", "%10v"} {
			wantNoCanary(t, name+" "+verb, fmt.Sprintf(verb, value))
		}
		if text, err := json.Marshal(value); err == nil {
			wantNoCanary(t, name+" as JSON", string(text))
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value)
		wantNoCanary(t, name+" in a log", log.String())
	}
}

// TestErrorsHideSecrets makes every kind of error with canaries in values and passphrases.
func TestErrorsHideSecrets(t *testing.T) {
	cheapKDF(t)
	u, next := newUnlocker(t, passphrase(canary+" 1")), newUnlocker(t, passphrase(canary+" 2"))
	path := createVault(t, u, map[string]string{"A": canary})
	sealed := func(payload string) string {
		k, err := u.freshKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer u.release(k)
		file, err := seal(k, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "secrets.vault")
		writeFile(t, path, file)
		return path
	}
	open := func(path string, u *Unlocker) error { _, err := Open(t.Context(), path, u); return err }
	update := func(change func(*Draft) error) error {
		return onlyError(Update(t.Context(), path, u, UpdateOptions{}, change))
	}
	set := func(name, value string) error {
		return update(func(d *Draft) error { _, err := d.Set(name, []byte(value)); return err })
	}
	setJSON := func(text string) error { return update(func(d *Draft) error { return d.SetJSON([]byte(text)) }) }
	errs := []error{
		open(path, next), open(path, newUnlocker(t, passphrase(""))),
		set("", canary), set("a b", canary), set("A", canary+"\xff"),
		update(func(d *Draft) error { return d.Delete("B") }),
		rekeyError(t.Context(), path, u, u), rekeyError(t.Context(), path, next, next),
	}
	for _, payload := range []string{
		``, canary, `"CANARY"`, `["CANARY"]`, `{"A":CANARY}`, `{"A":"CANARY`, `{"A":"CANARY"`, `{"A":"CANARY"}CANARY`, `{"CANARY"}`,
		`{"A":["CANARY"]}`, `{"A":"1","A":"CANARY"}`, "{\"A\":\"CANARY\xff\"}", `{"A":"CANARY\q"}`, `{"A":"CANARY\ud800"}`, `{"-":"CANARY"}`,
		"{\"A\":\"CANARY\n\"}", `{"A":"x"CANARY"}`, `{"A":"x","CANARY}`,
	} {
		errs = append(errs, open(sealed(payload), u), setJSON(payload))
	}
	for i, err := range errs {
		if err == nil {
			t.Errorf("error %d is nil", i)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			wantNoCanary(t, "error", fmt.Sprintf("%v %+v %#v %q", e, e, e, e))
		}
	}
}

func rekeyError(ctx context.Context, path string, oldKey, newKey *Unlocker) error {
	_, err := Rekey(ctx, path, oldKey, newKey, RekeyOptions{})
	return err
}
