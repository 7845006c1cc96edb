package provider

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Updater holds an object that is made of secrets, a pool of database connections say, and makes it anew when one of
// them changes. It keeps the provider current, as [Provider.Watch] does. All methods may be called concurrently.
type Updater[T any] struct {
	provider *Provider
	names    []string
	build    func(ctx context.Context, secrets *View) (T, error)
	discard  func(object T)

	stop    context.CancelFunc
	stopped chan struct{}

	mu      sync.Mutex
	current *updated[T] // nil when closed
	err     error       // of the last building
}

// updated is one of the objects. Updater.mu guards it.
type updated[T any] struct {
	object T
	users  int
	over   bool // it is discarded when the last user has left
}

// NewUpdater makes an object with build, and once more whenever one of the named secrets changes in the vault. build gets
// one snapshot, so that secrets which belong together fit; it must not keep it. What the environment supplies counts as
// soon as the vault supplies it, or no longer does.
//
// The new object takes the place of the old one when build has succeeded; then discard, unless it is nil, is called with
// the old one, as soon as the last [Updater.Use] of it has ended. While build fails the old object serves on, build is tried
// again after a second, two, and so on up to a minute, and [Updater.Err] says why.
//
// ctx bounds the first building only, whose error is returned; later ones get a context that ends with the updater.
// An updater is closed before its provider.
func NewUpdater[T any](ctx context.Context, p *Provider, names []string,
	build func(ctx context.Context, secrets *View) (T, error), discard func(object T)) (*Updater[T], error) {
	inner := newWatcher()
	inner.inner = true
	w, err := p.subscribe(ctx, inner) // before the first building, so that nothing comes in between
	if err != nil {
		return nil, err
	}
	u := &Updater[T]{
		provider: p, names: slices.Clone(names), build: build, discard: discard,
		stopped: make(chan struct{}), current: &updated[T]{},
	}
	if u.current.object, err = u.make(ctx); err != nil {
		p.unsubscribe(w)
		return nil, err
	}
	following, stop := context.WithCancel(p.closing)
	u.stop = stop
	go u.follow(following, w)
	return u, nil
}

func (u *Updater[T]) make(ctx context.Context) (object T, err error) {
	err = u.provider.View(func(v *View) (err error) {
		object, err = u.build(ctx, v)
		return err
	})
	return object, err
}

// follow makes the object anew when one of its secrets has changed.
func (u *Updater[T]) follow(ctx context.Context, w *watcher) {
	defer close(u.stopped)
	defer u.provider.unsubscribe(w)
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	s := schedule{poll: lastRebuild}
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.ready:
			if c, ok := w.take(); !ok || !c.Touched(u.names...) {
				continue
			}
		case <-retry.C:
		}
		retry.Stop()
		object, err := u.make(ctx)
		if u.put(ctx, object, err); err != nil {
			retry.Reset(s.looked(err))
		} else {
			s.looked(nil)
		}
	}
}

// lastRebuild is the longest wait between two tries of a building that fails.
const lastRebuild = time.Minute

// put puts a new object into service, unless err says that there is none.
func (u *Updater[T]) put(ctx context.Context, object T, err error) {
	u.mu.Lock()
	u.err = err
	if err != nil {
		u.mu.Unlock()
		return
	}
	old := u.current
	if ctx.Err() != nil || old == nil { // closed meanwhile
		u.mu.Unlock()
		u.drop(object)
		return
	}
	u.current = &updated[T]{object: object}
	unused := u.end(old)
	u.mu.Unlock()
	if unused {
		u.drop(old.object)
	}
}

// end takes an object out of service, and tells whether nobody uses it. The caller holds u.mu.
func (u *Updater[T]) end(old *updated[T]) (unused bool) {
	old.over = true
	return old.users == 0
}

func (u *Updater[T]) drop(object T) {
	if u.discard != nil {
		u.discard(object)
	}
}

// Use calls f with the object, which is not discarded before f returns. The error is f's, or [ErrClosed].
func (u *Updater[T]) Use(f func(object T) error) error {
	u.mu.Lock()
	o := u.current
	if o == nil {
		u.mu.Unlock()
		return ErrClosed
	}
	o.users++
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		o.users--
		last := o.over && o.users == 0
		u.mu.Unlock()
		if last {
			u.drop(o.object)
		}
	}()
	return f(o.object)
}

// Get returns the object, or its zero value when the updater is closed. It may be discarded at any time after, when a secret
// changes: use [Updater.Use] for objects that cannot be used then.
func (u *Updater[T]) Get() T {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.current == nil {
		var none T
		return none
	}
	return u.current.object
}

// Err returns why the object could not be made anew after the last change, nil if it could, or [ErrClosed].
func (u *Updater[T]) Err() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.current == nil {
		return ErrClosed
	}
	if u.err != nil {
		return fmt.Errorf("provider: after a change of secrets the old object serves on: %w", u.err)
	}
	return nil
}

// Close ends the following of changes, waits for a building under way, and discards the object behind its last use. It may be called again, but
// not from build.
func (u *Updater[T]) Close() {
	u.stop()
	<-u.stopped
	u.mu.Lock()
	old := u.current
	u.current = nil
	unused := old != nil && u.end(old)
	u.mu.Unlock()
	if unused {
		u.drop(old.object)
	}
}
