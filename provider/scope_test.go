package provider

import (
	"errors"
	"slices"
	"testing"
)

func openScoped(t *testing.T) *Provider {
	t.Helper()
	s := newSite(t, map[string]string{"A": "shared", "B": "shared", "EMPTY": "x", "acme/A": "acme", "acme/EMPTY": "", "acme/sub/C": "deep", "other/D": "other", "ACME/A": "case"})
	c := s.config()
	c.LookupEnv = func(name string) (string, bool) {
		return "environment", name == "ENV_ONLY" || name == "A" || name == "acme/B"
	}
	p, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestScope(t *testing.T) {
	p := openScoped(t)
	acme := p.Scope("acme")
	for _, test := range []struct {
		scoped *Scoped
		name   string
		want   string
		source Source
	}{
		{acme, "A", "acme", FromVault},
		{acme, "sub/C", "deep", FromVault},
		{acme, "EMPTY", "", FromVault},
		{acme, "B", "", FromNone},
		{acme, "ENV_ONLY", "", FromNone},
		{acme, "other/D", "", FromNone},
		{acme, "../other/D", "", FromNone},
		{acme, "", "", FromNone},
		{acme.OrShared(), "A", "acme", FromVault},
		{acme.OrShared(), "B", "shared", FromVault},
		{acme.OrShared(), "EMPTY", "", FromVault},
		{acme.OrShared(), "ENV_ONLY", "environment", FromEnvironment},
		{acme.OrShared(), "other/D", "", FromNone},
		{acme.OrShared(), "acme/A", "", FromNone},
		{p.Scope("Acme"), "A", "", FromNone},
		{p.Scope("acme/sub"), "C", "deep", FromVault},
		{p.Scope("none").OrShared(), "A", "shared", FromVault},
	} {
		value, source, err := test.scoped.Lookup(test.name)
		if value != test.want || source != test.source || err != nil {
			t.Errorf("%q in %q: %q from %v, %v", test.name, test.scoped.scope.Path, value, source, err)
		}
		used := ""
		err = test.scoped.Use(test.name, func(secret []byte) error { used = string(secret); return nil })
		if used != test.want || (err == nil) != (source != FromNone) || err != nil && !errors.Is(err, ErrNotFound) {
			t.Errorf("Use %q in %q: %q, %v", test.name, test.scoped.scope.Path, used, err)
		}
	}
	if got := acme.Names(); !slices.Equal(got, []string{"A", "EMPTY", "sub/C"}) {
		t.Errorf("names %q", got)
	}
	if got := acme.OrShared().Names(); !slices.Equal(got, []string{"A", "B", "EMPTY", "sub/C"}) {
		t.Errorf("shared names %q", got)
	}
	var missing *MissingError
	if err := acme.Require("A", "B", "EMPTY"); !errors.As(err, &missing) || !slices.Equal(missing.Unset, []string{"B"}) || !slices.Equal(missing.Empty, []string{"EMPTY"}) {
		t.Errorf("%v", err)
	}
	if err := acme.OrShared().Require("A", "B"); err != nil {
		t.Error(err)
	}
}

func TestScopeRefusesPaths(t *testing.T) {
	p := openScoped(t)
	for _, path := range []string{"", ".", "..", "acme/..", "acme/", "/acme", ".history", "acme//sub"} {
		s := p.Scope(path).OrShared()
		if _, _, err := s.Lookup("A"); !errors.Is(err, ErrScope) || s.Get("A") != "" || s.Names() != nil || !errors.Is(s.Require("A"), ErrScope) {
			t.Errorf("%q: %v", path, err)
		}
		if err := s.Use("A", func([]byte) error { t.Error("used"); return nil }); !errors.Is(err, ErrScope) {
			t.Errorf("%q: %v", path, err)
		}
	}
	acme := p.Scope("acme")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := acme.Lookup("A"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
