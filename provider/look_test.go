package provider

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// gatedSource lets a reading of the passphrase through when the gate lets it, whatever the context says.
type gatedSource struct {
	keysource.Source
	gated   atomic.Bool
	entered chan struct{}
	gate    chan error
	asked   atomic.Int64
	closed  chan struct{}
}

func newGatedSource(path string) *gatedSource {
	return &gatedSource{
		Source: keysource.NewFile(path), entered: make(chan struct{}, 100), gate: make(chan error), closed: make(chan struct{}),
	}
}

func (s *gatedSource) Close() { close(s.closed) }

func (s *gatedSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	s.asked.Add(1)
	if s.gated.Load() {
		s.entered <- struct{}{}
		if err := <-s.gate; err != nil {
			return err
		}
	}
	return s.Source.Passphrase(ctx, use)
}

func openGated(t *testing.T) (*Provider, *gatedSource) {
	t.Helper()
	s := newSite(t, map[string]string{"A": "1"})
	source := newGatedSource(s.key)
	c := s.config()
	c.AzureURL, c.OpenAzure = "url", func(string, string) (keysource.Source, error) { return source, nil }
	p, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return p, source
}

// TestCloseDoesNotWaitForASource that heeds no context: the secrets are gone at once, and what opens the vault when the source
// answers.
func TestCloseDoesNotWaitForASource(t *testing.T) {
	p, source := openGated(t)
	source.gated.Store(true)
	reloaded := make(chan error, 1)
	go func() {
		_, err := p.Reload(context.Background())
		reloaded <- err
	}()
	<-source.entered
	wantError(t, p.Close(), errStillAsked)
	wantError(t, <-reloaded, ErrClosed)
	if p.Get("A") != "" {
		t.Error("a closed provider still has secrets")
	}
	wantError(t, p.Close(), errStillAsked)
	source.gated.Store(false)
	select {
	case <-source.closed:
		t.Error("the source is closed while it is asked")
	default:
	}
	source.gate <- nil
	<-source.closed
}

// TestOutageIsSharedByAll: fifty callers that find their credential refused while the source of the key is out of order cost two
// looks, the one under way and one that begins after all of them have failed.
func TestOutageIsSharedByAll(t *testing.T) {
	p, source := openGated(t)
	defer p.Close()
	outage := errors.New("no answer")
	source.gated.Store(true)
	first := make(chan error, 1)
	go func() {
		_, err := p.Reload(context.Background())
		first <- err
	}()
	<-source.entered
	before := source.asked.Load()
	denied := errors.New("access denied")
	const callers = 50
	results := make(chan error, callers)
	for range callers {
		go func() {
			results <- p.WithRotation(context.Background(), "A", func(context.Context, []byte) error { return denied }, nil)
		}()
	}
	eventually(t, "all wait", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.waiting != nil && p.waiting.callers == callers
	})
	source.gate <- outage
	wantError(t, <-first, outage)
	source.gate <- outage
	for range callers {
		err := <-results
		wantError(t, err, denied)
		wantError(t, err, outage)
	}
	if n := source.asked.Load() - before; n != 1 {
		t.Errorf("the source was asked %d times by %d callers, want once", n, callers)
	}
}

// TestLookOfNobody: a look that all have given up ends, and says nothing about the vault.
func TestLookOfNobody(t *testing.T) {
	p, source := openGated(t)
	defer p.Close()
	source.gated.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			_, err := p.Reload(ctx)
			wantError(t, err, context.Canceled)
		})
	}
	<-source.entered
	eventually(t, "all wait", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		callers := p.running.callers
		if p.waiting != nil {
			callers += p.waiting.callers
		}
		return callers == 3
	})
	cancel()
	wg.Wait()
	source.gated.Store(false)
	source.gate <- errors.New("too late")
	if _, err := p.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if err := p.Health(); err != nil {
		t.Error(err)
	}
}

// TestSuccessorIsTold when it opens the vault: at the opening, at a reload, and in the status until the key has been renamed.
func TestSuccessorIsTold(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	early := mustOpen(t, s.config())
	next := vaultfile.NewUnlocker(keysource.NewFile(s.key + keysource.SuccessorSuffix))
	defer next.Close()
	_, err := vaultfile.Rekey(t.Context(), s.vault, s.unlocker, next, vaultfile.RekeyOptions{
		Prepare: func() error { return keysource.GenerateSuccessor(s.key) },
	})
	if err != nil {
		t.Fatal(err)
	}
	wantWarning := func(err error) {
		t.Helper()
		if wantError(t, err, ErrSuccessor); err != nil && !containsAll(err.Error(), s.key+keysource.SuccessorSuffix) {
			t.Errorf("%v does not name the successor", err)
		}
	}
	standing := func(p *Provider) error {
		t.Helper()
		status, err := p.Status()
		if err != nil {
			t.Fatal(err)
		}
		return errors.Join(status.Warnings...)
	}
	late := mustOpen(t, s.config())
	wantWarning(standing(late))
	r := watch(t, late)
	if c := r.next(t, 0); c.Err != nil || c.names() {
		t.Errorf("%+v", c)
	} else {
		wantWarning(c.Warning)
	}
	c, err := early.Reload(t.Context())
	if wantWarning(c.Warning); err != nil {
		t.Error(err)
	}
	wantWarning(standing(early))
	rename(t, s.key+keysource.SuccessorSuffix, s.key)
	for _, p := range []*Provider{early, late} {
		if _, err := p.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		if err := standing(p); err != nil {
			t.Errorf("after the rotation the status still has: %v", err)
		}
	}
}

// TestUnusedSuccessorIsTold: the reason why a successor that is there was not used stands in the error.
func TestUnusedSuccessorIsTold(t *testing.T) {
	s, other := newSite(t, map[string]string{"A": "1"}), newSite(t, map[string]string{"A": "2"})
	p := mustOpen(t, s.config())
	rename(t, other.vault, s.vault)
	writeFile(t, s.key+keysource.SuccessorSuffix, "\n") // empty
	_, err := p.Reload(t.Context())
	if wantError(t, err, vaultfile.ErrDecryption); err != nil && !containsAll(err.Error(), "its successor is there") {
		t.Errorf("%v does not say why the successor is not used", err)
	}
}

// TestKeyInNoFileIsAskedForAgain: that it has been disabled is noticed while the vault stays as it is.
func TestKeyInNoFileIsAskedForAgain(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	source := &disablingSource{Source: keysource.NewFile(s.key)}
	c := s.config()
	c.Source, c.PollInterval, c.KeyInterval = source, 10*time.Millisecond, 50*time.Millisecond
	p := mustOpen(t, c)
	p.origin.(*fileOrigin).keyPath = "" // as with a key in a store
	r := watch(t, p)
	disabled := errors.New("the key is disabled")
	source.failure.Store(&disabled)
	wantError(t, r.next(t, 0).Err, disabled)
	wantError(t, p.Health(), disabled)
	if p.Get("A") != "1" {
		t.Error("the last good snapshot does not serve on")
	}
	source.failure.Store(nil)
	if c := r.next(t, 1); c.Err != nil || c.names() {
		t.Errorf("%+v", c)
	}
}

type disablingSource struct {
	keysource.Source
	failure atomic.Pointer[error]
}

func (s *disablingSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	if failure := s.failure.Load(); failure != nil {
		return *failure
	}
	return s.Source.Passphrase(ctx, use)
}

// TestRequireHoldsAtEveryReload: a vault that lacks a required secret does not come into service, and is tried again.
func TestRequireHoldsAtEveryReload(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1", "B": "2"})
	env := map[string]string{}
	c := s.config()
	c.LookupEnv, c.Require = envOf(env), []string{"A", "B"}
	p := mustOpen(t, c)
	s.update(t, map[string]string{"A": "other", "B": "-"})
	for range 2 {
		got, err := p.Reload(t.Context())
		var missing *MissingError
		if !errors.As(err, &missing) || len(missing.Unset) != 1 || missing.Unset[0] != "B" || got.names() {
			t.Errorf("%+v, %v", got, err)
		}
		if wantError(t, p.Health(), ErrNotFound); p.Get("A") != "1" || p.Get("B") != "2" {
			t.Errorf("A is %q and B %q: not the last good snapshot", p.Get("A"), p.Get("B"))
		}
	}
	env["B"] = "of the environment"
	got, err := p.Reload(t.Context())
	if wantChange(t, got, nil, []string{"A"}, []string{"B"}); err != nil || p.Get("A") != "other" || p.Health() != nil {
		t.Errorf("%v, A is %q, health %v", err, p.Get("A"), p.Health())
	}

	c.Require = []string{"A", "C"}
	_, err = Open(t.Context(), c)
	wantError(t, err, ErrNotFound)
	_, err = Open(t.Context(), Config{LookupEnv: noEnv, Require: []string{"A"}})
	wantError(t, err, ErrNotFound)
}

// TestSourceIsToldThatItOpened the vault: a store of keys has no successor from then on.
func TestSourceIsToldThatItOpened(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	source := &openingSource{Source: keysource.NewFile(s.key)}
	c := s.config()
	c.Source = source
	mustOpen(t, c)
	if !source.opened.Load() {
		t.Error("it was not told")
	}
}

type openingSource struct {
	keysource.Source
	opened atomic.Bool
}

func (s *openingSource) Opened() { s.opened.Store(true) }
