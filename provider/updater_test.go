package provider

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// pool stands for what a service makes of a secret.
type pool struct {
	dsn    string
	closed atomic.Bool
}

func closePool(p *pool) { p.closed.Store(true) }

func newPool(_ context.Context, v *View) (*pool, error) {
	if v.Get("DSN") == "bad" {
		return nil, errors.New("no such database")
	}
	return &pool{dsn: v.Get("USER") + "@" + v.Get("DSN")}, nil
}

func openUpdater(t *testing.T, p *Provider) *Updater[*pool] {
	t.Helper()
	u, err := NewUpdater(t.Context(), p, []string{"DSN", "USER"}, newPool, closePool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

func TestUpdater(t *testing.T) {
	s := newSite(t, map[string]string{"DSN": "one", "USER": "u", "OTHER": "1"})
	p := mustOpen(t, s.config())
	u := openUpdater(t, p)
	first := u.Get()
	if first.dsn != "u@one" || u.Err() != nil {
		t.Fatalf("%q, %v", first.dsn, u.Err())
	}
	s.update(t, map[string]string{"OTHER": "2"})
	eventually(t, "the provider follows", func() bool { return p.Get("OTHER") == "2" })
	if u.Get() != first {
		t.Error("made anew, though none of its secrets changed")
	}

	inUse, release := make(chan struct{}), make(chan struct{})
	var users sync.WaitGroup
	users.Go(func() {
		if err := u.Use(func(o *pool) error {
			close(inUse)
			<-release
			if o.closed.Load() {
				t.Error("closed while it is used")
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-inUse
	s.update(t, map[string]string{"DSN": "two", "USER": "v"})
	eventually(t, "the object is new", func() bool { return u.Get().dsn == "v@two" })
	if first.closed.Load() {
		t.Error("the old object is closed while it is used")
	}
	close(release)
	users.Wait()
	if !first.closed.Load() {
		t.Error("the old object is not closed behind its last use")
	}

	second := u.Get()
	s.update(t, map[string]string{"DSN": "bad"})
	eventually(t, "the failure shows", func() bool { return u.Err() != nil })
	if u.Get() != second || second.closed.Load() {
		t.Error("the old object does not serve on")
	}
	s.update(t, map[string]string{"DSN": "three"})
	eventually(t, "the object is new", func() bool { return u.Get().dsn == "v@three" && u.Err() == nil })
	eventually(t, "the old one is closed", second.closed.Load)

	third := u.Get()
	u.Close()
	u.Close()
	if !third.closed.Load() || u.Get() != nil {
		t.Error("Close does not close the object")
	}
	wantError(t, u.Use(func(*pool) error { return nil }), ErrClosed)
	wantError(t, u.Err(), ErrClosed)
}

// TestUpdaterTriesAgain where the building fails for reasons of its own.
func TestUpdaterTriesAgain(t *testing.T) {
	s := newSite(t, map[string]string{"DSN": "one"})
	p := mustOpen(t, s.config())
	var down atomic.Bool
	u, err := NewUpdater(t.Context(), p, []string{"DSN"}, func(_ context.Context, v *View) (string, error) {
		if down.Load() {
			return "", errors.New("the database is down")
		}
		return v.Get("DSN"), nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	down.Store(true)
	s.update(t, map[string]string{"DSN": "two"})
	eventually(t, "the failure shows", func() bool { return u.Err() != nil && u.Get() == "one" })
	down.Store(false)
	eventually(t, "it is made", func() bool { return u.Get() == "two" && u.Err() == nil })
}

func TestUpdaterBegins(t *testing.T) {
	s := newSite(t, map[string]string{"DSN": "bad"})
	p := mustOpen(t, s.config())
	if _, err := NewUpdater(t.Context(), p, []string{"DSN"}, newPool, closePool); err == nil {
		t.Error("the first building failed, and there is no error")
	}
	p.mu.Lock()
	if len(p.watchers) != 0 || p.keeper != nil {
		t.Error("something is left of it")
	}
	p.mu.Unlock()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := NewUpdater(ended, p, nil, newPool, nil)
	wantError(t, err, context.Canceled)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	_, err = NewUpdater(t.Context(), p, nil, newPool, nil)
	wantError(t, err, ErrClosed)
}

// TestUpdaterTakesNoReports from a Watch: what nobody was told still goes to the first of those.
func TestUpdaterTakesNoReports(t *testing.T) {
	s := newSite(t, map[string]string{"DSN": "one", "A": "1"})
	p := mustOpen(t, s.config())
	u := openUpdater(t, p)
	s.update(t, map[string]string{"A": "2", "DSN": "two"})
	eventually(t, "the object is new", func() bool { return u.Get().dsn == "@two" })
	wantChange(t, watch(t, p).next(t, 0), nil, []string{"A", "DSN"}, nil)
}

// TestUpdaterUnderLoad uses an object while it is exchanged all the time.
func TestUpdaterUnderLoad(t *testing.T) {
	s := newSite(t, map[string]string{"DSN": "0"})
	p := mustOpen(t, s.config())
	u := openUpdater(t, p)
	var stop atomic.Bool
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for !stop.Load() {
				if err := u.Use(func(o *pool) error {
					if o.closed.Load() {
						t.Error("closed while it is used")
					}
					time.Sleep(time.Microsecond)
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 20 {
		s.update(t, map[string]string{"DSN": string(rune('a' + i))})
		if _, err := p.Reload(t.Context()); err != nil {
			t.Error(err)
		}
	}
	eventually(t, "the last one is there", func() bool { return u.Get().dsn == "@t" })
	stop.Store(true)
	users.Wait()
}
