package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

func TestResolutionOrder(t *testing.T) {
	s := newSite(t, map[string]string{"BOTH": "of the vault", "VAULT_ONLY": "v", "VAULT_EMPTY": ""})
	c := s.config()
	c.LookupEnv = envOf(map[string]string{"BOTH": "of the environment", "ENV_ONLY": "e", "ENV_EMPTY": "", "VAULT_EMPTY": "hidden"})
	p := mustOpen(t, c)
	for _, tt := range []struct {
		name, value string
		source      Source
	}{
		{"BOTH", "of the vault", FromVault},
		{"VAULT_ONLY", "v", FromVault},
		{"VAULT_EMPTY", "", FromVault},
		{"ENV_ONLY", "e", FromEnvironment},
		{"ENV_EMPTY", "", FromEnvironment},
		{"NOWHERE", "", FromNone},
		{"", "", FromNone},
		{"no name of a vault!", "", FromNone},
	} {
		value, source, err := p.Lookup(tt.name)
		if value != tt.value || source != tt.source || err != nil {
			t.Errorf("Lookup(%q): %q, %v, %v", tt.name, value, source, err)
		}
		if source, err := p.SourceOf(tt.name); source != tt.source || err != nil {
			t.Errorf("SourceOf(%q): %v, %v", tt.name, source, err)
		}
		if value := p.Get(tt.name); value != tt.value {
			t.Errorf("Get(%q): %q", tt.name, value)
		}
		value, err = use(p, tt.name)
		if tt.source == FromNone {
			wantError(t, err, ErrNotFound)
		} else if value != tt.value || err != nil {
			t.Errorf("Use(%q): %q, %v", tt.name, value, err)
		}
	}
	if got, want := p.Names(), []string{"BOTH", "VAULT_EMPTY", "VAULT_ONLY"}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
}

func TestRequireListsAll(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1", "EMPTY": ""})
	p := mustOpen(t, s.config())
	if err := p.Require("A"); err != nil {
		t.Error(err)
	}
	if err := p.Require(); err != nil {
		t.Error(err)
	}
	err := p.Require("X", "A", "EMPTY", "Y")
	wantError(t, err, ErrNotFound)
	var missing *MissingError
	if !errors.As(err, &missing) || !slices.Equal(missing.Unset, []string{"X", "Y"}) || !slices.Equal(missing.Empty, []string{"EMPTY"}) {
		t.Errorf("missing %+v", missing)
	}
	if want := "provider: required secrets missing: X, Y; set but empty: EMPTY"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// TestErrorsShowNamesHarmlessly: a name may come from a client of the service.
func TestErrorsShowNamesHarmlessly(t *testing.T) {
	p := fromJSON(t, []byte(`{"A":"1"}`))
	for name, want := range map[string]string{
		"PLAIN_NAME": "PLAIN_NAME", "": `""`, "a\nlevel=ERROR": `"a\nlevel=ERROR"`, "\x1b[2J": `"\x1b[2J"`, "\xff\x00": `"\xff\x00"`,
		strings.Repeat("n", 300): strings.Repeat("n", 255) + "…",
	} {
		_, useErr := use(p, name)
		for what, err := range map[string]error{"Use": useErr, "Require": p.Require(name)} {
			if wantError(t, err, ErrNotFound); err == nil || !strings.HasSuffix(err.Error(), ": "+want) {
				t.Errorf("%s of %q: %v, want %s", what, name, err, want)
			}
		}
	}
}

func TestUsePassesErrorsAndPanics(t *testing.T) {
	p := fromJSON(t, []byte(`{"A":"1"}`))
	failure := errors.New("of the callback")
	wantError(t, p.Use("A", func([]byte) error { return failure }), failure)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic got lost")
			}
		}()
		_ = p.Use("A", func([]byte) error { panic("of the callback") })
	}()
	// The panicking reader left, so the snapshot is wiped when it is replaced.
	old := p.current.Load()
	if _, err := p.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !old.wiped.Load() {
		t.Error("the replaced snapshot has not been wiped")
	}
}

func TestClosed(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	c := s.config()
	c.LookupEnv = envOf(map[string]string{"B": "2"})
	p := mustOpen(t, c)
	unlocker := p.origin.(*fileOrigin).unlocker
	var kept *View
	if err := p.View(func(v *View) error {
		kept = v
		return p.Close() // from a callback, and the snapshot stays
	}); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error("closing again:", err)
	}
	_, useErr := use(p, "A")
	_, _, lookupErr := p.Lookup("B")
	_, sourceErr := p.SourceOf("A")
	_, statusErr := p.Status()
	_, reloadErr := p.Reload(t.Context())
	_, _, viewErr := kept.Lookup("A")
	for what, err := range map[string]error{
		"Use": useErr, "Lookup": lookupErr, "SourceOf": sourceErr, "Status": statusErr, "Reload": reloadErr,
		"Require":      p.Require("A"),
		"View":         p.View(func(*View) error { return nil }),
		"Watch":        p.Watch(t.Context(), func(Change) {}),
		"WithRotation": p.WithRotation(t.Context(), "A", nil, nil),
		"kept Lookup":  viewErr,
		"kept Use":     kept.Use("A", nil),
		"kept Require": kept.Require("A"),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	if p.Get("A") != "" || p.Get("B") != "" || p.Names() != nil || kept.Get("A") != "" || kept.Names() != nil {
		t.Error("a closed provider still has secrets")
	}
	_, err := vaultfile.Open(t.Context(), s.vault, unlocker)
	wantError(t, err, vaultfile.ErrClosed) // what opens the vault is gone too
}

// TestViewKeepsItsSnapshot: what a view shows does not change while the vault does.
func TestViewKeepsItsSnapshot(t *testing.T) {
	s := newSite(t, map[string]string{"USER": "u1", "PASSWORD": "p1"})
	p := mustOpen(t, s.config())
	err := p.View(func(v *View) error {
		before := v.Get("USER")
		s.update(t, map[string]string{"USER": "u2", "PASSWORD": "p2"})
		if _, err := p.Reload(t.Context()); err != nil {
			return err
		}
		if before != "u1" || v.Get("PASSWORD") != "p1" || p.Get("PASSWORD") != "p2" {
			t.Errorf("view %s %s, provider %s", before, v.Get("PASSWORD"), p.Get("PASSWORD"))
		}
		return v.Require("USER", "PASSWORD")
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPrintsRedacted(t *testing.T) {
	p := fromJSON(t, []byte(`{"NAME_IN_IT":"value in it"}`))
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "provider", p, "group", map[string]any{"p": p})
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "provider", p)
	texts := []string{logged.String()}
	_ = p.View(func(v *View) error {
		for _, subject := range []any{p, v} { // vet forbids to copy them
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
				texts = append(texts, fmt.Sprintf(verb, subject))
			}
			encoded, err := json.Marshal(subject)
			if err != nil {
				t.Error(err)
			}
			texts = append(texts, string(encoded))
		}
		return nil
	})
	for _, text := range texts {
		if strings.Contains(text, "_IN_IT") || strings.Contains(text, "value in it") || !strings.Contains(text, "[redacted]") {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestStatus(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1", "B": "2"})
	p := mustOpen(t, s.config())
	status, err := p.Status()
	if err != nil || !status.Vault || status.Secrets != 2 || status.Generation != 1 || status.ShortKey || status.Problem != nil || status.Loaded.IsZero() {
		t.Errorf("%+v, %v", status, err)
	}
	s.update(t, map[string]string{"A": "-"})
	if _, err := p.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, err = p.Status(); err != nil || status.Secrets != 1 || status.Generation != 2 {
		t.Errorf("after a reload: %+v, %v", status, err)
	}
	rename(t, s.vault, s.vault+".away")
	_, err = p.Reload(t.Context())
	wantError(t, err, vaultfile.ErrNotExist)
	if status, err = p.Status(); err != nil || !errors.Is(status.Problem, vaultfile.ErrNotExist) || status.Secrets != 1 {
		t.Errorf("with a problem: %+v, %v", status, err)
	}
}

func TestShortKeyIsNoted(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir+"/vault.key", "short")
	u := vaultfile.NewUnlocker(keysource.NewFile(dir + "/vault.key"))
	defer u.Close()
	if _, err := vaultfile.Create(t.Context(), dir+"/secrets.vault", u, vaultfile.CreateOptions{}, setAll(nil)); err != nil {
		t.Fatal(err)
	}
	p := mustOpen(t, Config{VaultFile: dir + "/secrets.vault", KeyFile: dir + "/vault.key"})
	if status, err := p.Status(); err != nil || !status.ShortKey {
		t.Errorf("%+v, %v", status, err)
	}
}

// TestWritesToCopies: what a callback writes to a value of the environment, or to a copy, changes nothing for anybody.
func TestWritesToCopies(t *testing.T) {
	s := newSite(t, map[string]string{"OF_VAULT": "value"})
	c := s.config()
	c.LookupEnv = envOf(map[string]string{"OF_ENV": "value", "EMPTY": ""})
	p := mustOpen(t, c)
	var kept []byte
	scribble := func(secret []byte) error {
		if string(secret) != "value" {
			t.Errorf("got %q", secret)
		}
		secret[0], kept = 'X', secret
		return nil
	}
	for what, use := range map[string]func() error{
		"Use of the environment":     func() error { return p.Use("OF_ENV", scribble) },
		"UseCopy of the environment": func() error { return p.UseCopy("OF_ENV", scribble) },
		"UseCopy of the vault":       func() error { return p.UseCopy("OF_VAULT", scribble) },
		"UseCopy in a view":          func() error { return p.View(func(v *View) error { return v.UseCopy("OF_VAULT", scribble) }) },
	} {
		if err := use(); err != nil || string(kept) != "\x00\x00\x00\x00\x00" {
			t.Errorf("%s: %v; the copy is not wiped", what, err)
		}
		if p.Get("OF_ENV") != "value" || p.Get("OF_VAULT") != "value" {
			t.Errorf("%s changed a secret", what)
		}
	}
	if err := p.Use("EMPTY", func(secret []byte) error { return nil }); err != nil {
		t.Error(err)
	}
	wantError(t, p.UseCopy("NOWHERE", scribble), ErrNotFound)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, p.UseCopy("OF_ENV", scribble), ErrClosed)
}
