package provider

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mazevault/vault-tool/internal/redact"
)

// Provider answers lookups of secrets. All methods may be called concurrently, from callbacks too. It
// prints as redacted.
type Provider struct {
	redact.Value
	current   atomic.Pointer[snapshot] // nil when closed
	lookupEnv func(name string) (string, bool)

	origin       origin // nil for the environment alone; asked by one look at a time
	required     []string
	references   bool // are allowed
	grace        time.Duration
	pollInterval time.Duration
	newNotifier  func(paths []string) *notifier
	short        *atomic.Bool // whether the passphrase is; nil where nothing is known of it

	closing  context.Context // ends with Close
	close    context.CancelFunc
	shutDown func() error

	mu       sync.Mutex
	running  *look                      // what is under way, nil for none
	waiting  *look                      // what comes after it, nil for none
	watchers map[*watcher]struct{}      // who is told of changes
	keeper   *keeper                    // who looks at the files; nil while there are no watchers
	untold   *watcher                   // what nobody was told; nil while a Watch runs
	previous map[string]*previousSecret // by name
	checked  time.Time                  // when the last look ended
	looks    uint64                     // how many have ended
	failures uint64                     // how many of them with a problem
	problem  error                      // of the last look
	standing error                      // a warning about the vault in service
	deafness error                      // why a watcher is not notified
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
		lookupEnv: env, origin: from, required: slices.Clone(c.Require), references: c.AllowReferences, grace: c.Grace, pollInterval: c.PollInterval,
		newNotifier: newNotifier,
		watchers:    make(map[*watcher]struct{}), untold: newWatcher(), previous: make(map[string]*previousSecret),
	}
	if p.pollInterval <= 0 {
		p.pollInterval = DefaultPollInterval
	}
	p.closing, p.close = context.WithCancel(context.Background())
	p.shutDown = sync.OnceValue(p.end)
	p.current.Store(&snapshot{loaded: time.Now()})
	if file, ok := from.(*fileOrigin); ok {
		p.short = &file.source.short
	}
	if err := p.begin(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if c.Watch || c.OnChange != nil {
		go func() { _ = p.Watch(p.closing, c.OnChange) }() // ends with the provider
	}
	return p, nil
}

// begin loads the first vault.
func (p *Provider) begin(ctx context.Context) error {
	if p.origin == nil {
		return p.Require(p.required...)
	}
	_, err := p.refresh(ctx, false)
	return err
}

// closePatience is how long Close waits for a source that does not heed its context.
const closePatience = time.Second

// Close wipes the secrets and what opens the vault, and ends every Watch. Lookups that are under way end
// as if nothing had happened, and the last of them wipes the snapshot; later ones get [ErrClosed]. It
// may be called again. The error is that of closing the source of the key, if it has one, or that the source
// has not answered within a second; what opens the vault is then wiped when it does.
func (p *Provider) Close() error { return p.shutDown() }

func (p *Provider) end() error {
	p.mu.Lock()
	p.close()
	running := p.running
	p.endAllPrevious()
	p.mu.Unlock()
	if s := p.current.Swap(nil); s != nil {
		s.retire()
	}
	if p.origin == nil {
		return nil
	}
	if running == nil {
		return p.origin.close()
	}
	patience := time.NewTimer(closePatience)
	defer patience.Stop()
	select {
	case <-running.done:
		return p.origin.close()
	case <-patience.C:
		go func() {
			<-running.done
			_ = p.origin.close() // nobody waits for it any more
		}()
		return errStillAsked
	}
}

var errStillAsked = errors.New("provider: closed, but the source of the key or of the vault has not answered yet; what opens the vault is wiped when it does")

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

func (p *Provider) readerOf(s *snapshot) reader {
	return reader{vault: s.vault, values: s.values, references: s.references, lookupEnv: p.lookupEnv}
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
	r := p.readerOf(s)
	value, source = r.lookup(name)
	return value, source, nil
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
	r := p.readerOf(s)
	return r.use(name, f)
}

// UseCopy is Use with a copy that f may change, for what decodes in place. The copy is in ordinary memory
// and is wiped when f returns; f must not keep it.
func (p *Provider) UseCopy(name string, f func(secret []byte) error) error {
	s, count := p.acquire()
	if s == nil {
		return ErrClosed
	}
	defer s.leave(count)
	r := p.readerOf(s)
	return r.useCopy(name, f)
}

// SourceOf says where a secret would be found, without a copy of its value. The error is [ErrClosed] or
// nil.
func (p *Provider) SourceOf(name string) (Source, error) {
	s, count := p.acquire()
	if s == nil {
		return FromNone, ErrClosed
	}
	defer s.leave(count)
	r := p.readerOf(s)
	source, _ := r.find(name)
	return source, nil
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
	r := p.readerOf(s)
	return r.require(names...)
}

// Names returns the names of the secrets in the vault, sorted bytewise; none when there is no vault or
// the provider is closed. What the environment holds is not listed.
func (p *Provider) Names() []string {
	s, count := p.acquire()
	if s == nil {
		return nil
	}
	defer s.leave(count)
	r := p.readerOf(s)
	return r.names()
}

// View calls f with one snapshot, for secrets that belong together, such as a user's name and password.
// The error is f's or [ErrClosed].
func (p *Provider) View(f func(*View) error) error {
	s, count := p.acquire()
	if s == nil {
		return ErrClosed
	}
	defer s.leave(count)
	v := &View{lookups: p.readerOf(s), snapshot: s, count: count}
	defer v.ended.Store(true)
	return f(v)
}
