package provider

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/internal/reserved"
	"github.com/mazevault/vault-tool/vaultfile"
)

const aReference = "akv://corp/database-password"

// link makes a secret a reference.
func (s *site) link(tb testing.TB, name string) {
	tb.Helper()
	_, err := vaultfile.Update(context.Background(), s.vault, s.unlocker, vaultfile.UpdateOptions{}, func(d *vaultfile.Draft) error {
		if _, err := d.Set(name, []byte(aReference)); err != nil {
			return err
		}
		return references.Note(d, name, aReference)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func wantReferenceError(tb testing.TB, err error, names ...string) {
	tb.Helper()
	var reference *ReferenceError
	if !errors.Is(err, ErrReference) || !errors.As(err, &reference) || !slices.Equal(reference.Names, names) {
		tb.Errorf("error %v, want one about %q", err, names)
	} else if strings.Contains(err.Error(), "akv://") {
		tb.Errorf("the error has the reference: %v", err)
	}
}

// TestReferencesAreRefused at the opening and at a reload: the last good vault serves on.
func TestReferencesAreRefused(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1", "B": "2", "TEXT": aReference})
	p := mustOpen(t, s.config())
	s.link(t, "A")
	if _, err := p.Reload(t.Context()); err == nil {
		t.Error("a vault with a reference is put into service")
	} else {
		wantReferenceError(t, err, "A")
	}
	if got := p.Get("A") + p.Get("TEXT"); got != "1"+aReference {
		t.Errorf("the values are %q", got)
	}
	if status, err := p.Status(); err != nil || !errors.Is(status.Problem, ErrReference) {
		t.Errorf("status %+v, %v", status, err)
	}
	_, err := Open(t.Context(), s.config())
	wantReferenceError(t, err, "A")

	s.update(t, map[string]string{"A": "3"})
	if _, err := p.Reload(t.Context()); err != nil || p.Get("A") != "3" {
		t.Errorf("A is %q, %v", p.Get("A"), err)
	}
}

// TestReferencesAreAllowed: nobody gets the text of one, nor what the environment has under its name.
func TestReferencesAreAllowed(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1", "B": "2"})
	c := s.config()
	c.AllowReferences, c.LookupEnv, c.Grace = true, envOf(map[string]string{"A": "of the environment"}), time.Hour
	p := mustOpen(t, c)
	s.link(t, "A")
	if change, err := p.Reload(t.Context()); err != nil || !change.Touched("A") {
		t.Errorf("%+v, %v", change, err)
	}
	if value, source, err := p.Lookup("A"); value != "" || source != FromNone || err != nil {
		t.Errorf("A is %q from %s, %v", value, source, err)
	}
	if p.Get("B") != "2" {
		t.Error("B is gone")
	}
	none := func([]byte) error { t.Error("a reference is delivered"); return nil }
	wantReferenceError(t, p.Use("A", none), "A")
	wantReferenceError(t, p.UseCopy("A", none), "A")
	wantReferenceError(t, p.Require("B", "A"), "A")
	if err := p.View(func(v *View) error {
		wantReferenceError(t, v.Use("A", none), "A")
		return nil
	}); err != nil {
		t.Error(err)
	}
	var into struct {
		A string `vault:"A"`
	}
	wantReferenceError(t, p.Fill(t.Context(), &into), "A")
	if into.A != "" {
		t.Errorf("a field is %q", into.A)
	}

	s.update(t, map[string]string{"A": "3"})
	if _, err := p.Reload(t.Context()); err != nil || p.Get("A") != "3" {
		t.Errorf("A is %q, %v", p.Get("A"), err)
	}
	if err := p.Previous("A", none); !errors.Is(err, ErrNoPrevious) {
		t.Errorf("the value before is %v", err)
	}
	c.Require = []string{"A"}
	s.link(t, "A")
	_, err := Open(t.Context(), c)
	wantReferenceError(t, err, "A")
}

// TestUnknownRecordsAreRefused: what may be no value is not delivered.
func TestUnknownRecordsAreRefused(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	_, err := vaultfile.Update(t.Context(), s.vault, s.unlocker, vaultfile.UpdateOptions{}, func(d *vaultfile.Draft) error {
		return d.SetReserved(reserved.Reference("A"), []byte(`{"v":2}`))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s.config()); !errors.Is(err, references.ErrUnknownRecord) {
		t.Error(err)
	}
}
