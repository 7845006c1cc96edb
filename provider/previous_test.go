package provider

import (
	"errors"
	"testing"
	"time"
)

func previous(p *Provider, name string) (value string, err error) {
	err = p.Previous(name, func(secret []byte) error {
		value = string(secret)
		return nil
	})
	return value, err
}

func TestPrevious(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1", "B": "1", "C": "1", "EMPTY": ""})
	c := s.config()
	c.Grace = time.Hour
	p := mustOpen(t, c)
	reload := func(secrets map[string]string) {
		t.Helper()
		s.update(t, secrets)
		if change, err := p.Reload(t.Context()); err != nil || change.Warning != nil {
			t.Fatal(err, change.Warning)
		}
	}
	want := func(name, value string, failure error) {
		t.Helper()
		if got, err := previous(p, name); got != value || !errors.Is(err, failure) {
			t.Errorf("the previous value of %s is %q, error %v; want %q, %v", name, got, err, value, failure)
		}
	}
	want("A", "", ErrNoPrevious)
	reload(map[string]string{"A": "2", "B": "2", "EMPTY": "2", "D": "1"})
	want("A", "1", nil)
	want("B", "1", nil)
	want("EMPTY", "", nil)
	want("C", "", ErrNoPrevious)
	want("D", "", ErrNoPrevious)
	reload(map[string]string{"A": "3"})
	want("A", "2", nil)
	want("B", "1", nil)
	failure := errors.New("of the callback")
	wantError(t, p.Previous("A", func([]byte) error { return failure }), failure)
	err := p.Previous("A", func(secret []byte) error { // what is replaced under it is wiped when it returns
		reload(map[string]string{"A": "4", "B": "-"})
		if string(secret) != "2" {
			t.Errorf("under the callback it became %q", secret)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	want("A", "3", nil)
	want("B", "", ErrNoPrevious) // it was removed from the vault
	kept := p.previous["A"]
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if kept.secret != nil {
		t.Error("Close has not wiped it")
	}
	want("A", "", ErrClosed)
}

func TestPreviousEnds(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	c := s.config()
	c.Grace = 50 * time.Millisecond
	p := mustOpen(t, c)
	s.update(t, map[string]string{"A": "2"})
	if _, err := p.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is over", func() bool { _, err := previous(p, "A"); return errors.Is(err, ErrNoPrevious) })
	eventually(t, "it is wiped", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.previous) == 0
	})

	c.Grace = 0
	p = mustOpen(t, c)
	s.update(t, map[string]string{"A": "3"})
	if _, err := p.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := previous(p, "A")
	wantError(t, err, ErrNoPrevious)
}
