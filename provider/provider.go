package provider

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mazevault/vault-tool/internal/redact"
	"github.com/mazevault/vault-tool/vaultfile"
)

// Provider answers lookups of secrets. All methods may be called concurrently, from callbacks too. It
// prints as redacted.
type Provider struct {
	redact.Value
	current   atomic.Pointer[snapshot] // nil when closed
	lookupEnv func(name string) (string, bool)

	origin       origin // nil for the environment alone; used by the holder of turn only
	pollInterval time.Duration
	short        *atomic.Bool // whether the passphrase is; nil where nothing is known of it

	turn    chan struct{}   // holds the one token for refreshing: a mutex that a context need not wait for
	closing context.Context // ends with Close
	close   context.CancelFunc

	mu       sync.Mutex
	problem  error                 // of the last refresh
	watchers map[*watcher]struct{} // who is told of changes
}

// open completes what Open and FromEnv begin.
func open(ctx context.Context, c Config, env func(string) (string, bool)) (*Provider, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	from, err := c.origin()
	if err != nil {
		return nil, err
	}
	p := &Provider{
		lookupEnv: env, origin: from, pollInterval: c.PollInterval,
		turn: make(chan struct{}, 1), watchers: make(map[*watcher]struct{}),
	}
	if p.pollInterval <= 0 {
		p.pollInterval = DefaultPollInterval
	}
	p.closing, p.close = context.WithCancel(context.Background())
	p.current.Store(&snapshot{loaded: time.Now()})
	if from == nil {
		return p, nil
	}
	if file, ok := from.(*fileOrigin); ok {
		p.short = &file.source.short
	}
	if _, err := p.refresh(ctx, false); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Close wipes the secrets and what opens the vault, and ends every Watch. Lookups that are under way end
// as if nothing had happened, and the last of them wipes the snapshot; later ones get [ErrClosed]. It
// may be called again. The error is that of closing the source of the key, if it has one.
func (p *Provider) Close() error {
	p.close()
	p.turn <- struct{}{} // a refresh under way ends first, and soon, for its context has ended
	defer func() { <-p.turn }()
	if s := p.current.Swap(nil); s != nil {
		s.retire()
	}
	from := p.origin
	p.origin = nil
	if from == nil {
		return nil
	}
	return from.close()
}

// acquire enters the current snapshot. The caller leaves it through the returned counter. Both are nil
// when the provider is closed.
func (p *Provider) acquire() (*snapshot, *readerCount) {
	for {
		s := p.current.Load()
		if s == nil {
			return nil, nil
		}
		// A snapshot is retired after it was replaced, so there is another one to load.
		if count := s.enter(); count != nil {
			return s, count
		}
	}
}

func (p *Provider) view(s *snapshot) View {
	return View{vault: s.vault, values: s.values, lookupEnv: p.lookupEnv}
}

// Get returns a secret as a string: the vault's value, else that of the environment, else "". A string
// is ordinary memory and cannot be wiped; prefer [Provider.Use] where bytes will do, and
// [Provider.Lookup] to tell what is not set from what is set to nothing. When the provider is closed
// the string is empty.
func (p *Provider) Get(name string) string {
	value, _, _ := p.Lookup(name) // a closed provider has no values
	return value
}

// Lookup is Get that also says where the value was found: FromNone where it is not set. A secret of the
// vault counts as set though it be empty, and hides the environment. The error is [ErrClosed] or nil.
func (p *Provider) Lookup(name string) (value string, source Source, err error) {
	s, count := p.acquire()
	if s == nil {
		return "", FromNone, ErrClosed
	}
	defer s.leave(count)
	v := p.view(s)
	return v.Lookup(name)
}

// Use calls f with the bytes of a secret: those of the vault where they stand in locked memory, which is
// read-only, so that a write to them ends the process; else a copy of the environment's, which is wiped
// when f returns. f must neither change nor keep them. While f runs the snapshot it looks into stays, also
// when it has been replaced. The error is f's, or wraps [ErrNotFound] or [ErrClosed].
func (p *Provider) Use(name string, f func(secret []byte) error) error {
	s, count := p.acquire()
	if s == nil {
		return ErrClosed
	}
	defer s.leave(count)
	v := p.view(s)
	return v.Use(name, f)
}

// UseCopy is Use with a copy that f may change, for what decodes in place. The copy is in ordinary memory
// and is wiped when f returns; f must not keep it.
func (p *Provider) UseCopy(name string, f func(secret []byte) error) error {
	s, count := p.acquire()
	if s == nil {
		return ErrClosed
	}
	defer s.leave(count)
	v := p.view(s)
	return v.UseCopy(name, f)
}

// SourceOf says where a secret would be found, without a copy of its value. The error is [ErrClosed] or
// nil.
func (p *Provider) SourceOf(name string) (Source, error) {
	s, count := p.acquire()
	if s == nil {
		return FromNone, ErrClosed
	}
	defer s.leave(count)
	v := p.view(s)
	return v.SourceOf(name)
}

// Require returns nil if all the secrets named have a value, and otherwise a [MissingError] with all that
// have none, or [ErrClosed]. A secret that is set to nothing has no value: a service that can do with
// an empty one does not require it.
func (p *Provider) Require(names ...string) error {
	s, count := p.acquire()
	if s == nil {
		return ErrClosed
	}
	defer s.leave(count)
	v := p.view(s)
	return v.Require(names...)
}

// Names returns the names of the secrets in the vault, sorted bytewise; none when there is no vault or
// the provider is closed. What the environment holds is not listed.
func (p *Provider) Names() []string {
	s, count := p.acquire()
	if s == nil {
		return nil
	}
	defer s.leave(count)
	v := p.view(s)
	return v.Names()
}

// View calls f with one snapshot, for secrets that belong together, such as a user's name and password.
// The error is f's or [ErrClosed].
func (p *Provider) View(f func(*View) error) error {
	s, count := p.acquire()
	if s == nil {
		return ErrClosed
	}
	defer s.leave(count)
	v := p.view(s)
	defer func() { v.ended = true }()
	return f(&v)
}

// Status is what may be shown of a provider in a health check: no names and no values.
type Status struct {
	Vault      bool      // there is a vault; false for the environment alone
	Secrets    int       // in the vault
	Generation uint64    // counts the vaults loaded so far, from 1; 0 without a vault
	Loaded     time.Time // when the one in service was loaded
	Problem    error     // why the last refresh failed, nil if it did not
	ShortKey   bool      // the passphrase has less than keysource.ShortBytes bytes
	Unlocked   error     // why secrets are not in locked memory, nil if they are; see vaultfile.MemoryLocked
}

// Status tells how the provider is. The error is [ErrClosed] or nil.
func (p *Provider) Status() (Status, error) {
	s, count := p.acquire()
	if s == nil {
		return Status{}, ErrClosed
	}
	defer s.leave(count)
	status := Status{
		Loaded: s.loaded, Generation: s.generation,
		Problem: p.lastProblem(), Unlocked: vaultfile.MemoryLocked(),
	}
	if s.vault != nil {
		status.Vault, status.Secrets = true, s.vault.Len()
	}
	if p.short != nil {
		status.ShortKey = p.short.Load()
	}
	return status, nil
}
