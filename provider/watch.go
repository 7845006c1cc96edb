package provider

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// settleTime is how long the files have to be left alone before they are looked at: a copy or an
	// unpacking makes many events.
	settleTime = 100 * time.Millisecond

	// settleTimeMost bounds the wait where events never stop.
	settleTimeMost = time.Second

	// firstRetry is when the files are looked at again after a failure; the time doubles with every one
	// until it reaches the poll interval.
	firstRetry = time.Second
)

// Watch keeps the secrets current until ctx ends, and calls report for every change. It blocks: start
// it in a goroutine. It notices that the vault or its key file is replaced, also by way of symbolic
// links (as Kubernetes does it) or of a bind-mounted directory, by notifications of the system and by
// looking every poll interval where those do not come. A vault rewritten under the same key is read
// again without a key derivation.
//
// report is called by one goroutine, in order, and may call the provider. It is not called for what
// changes no secret, such as a rotation of the key. An error is reported once, however often it is met,
// until another takes its place or it is over; see [Change]. Changes found by Reload and WithRotation,
// and those since the opening of the provider, are reported too. Of several Watch calls each gets all.
// Where the system refuses notifications, from the start or later, an [ErrNoNotify] is reported, once
// in a Watch, and polling goes on.
//
// The error is ctx's, or [ErrClosed] when the provider is closed.
func (p *Provider) Watch(ctx context.Context, report func(Change)) error {
	return p.watch(ctx, report, newNotifier)
}

func (p *Provider) watch(ctx context.Context, report func(Change), newNotifier func(paths []string) *notifier) error {
	w := &watcher{ready: make(chan struct{}, 1)}
	paths, err := p.subscribe(ctx, w)
	if err != nil {
		return err
	}
	defer p.unsubscribe(w)

	notify := newNotifier(paths)
	defer notify.close()
	timer := time.NewTimer(0) // something may have changed since the opening
	defer timer.Stop()
	s := schedule{poll: p.pollInterval}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.closing.Done():
			return ErrClosed
		case err := <-notify.failure():
			report(Change{Err: fmt.Errorf("%w, files are looked at every %v: %w", ErrNoNotify, p.pollInterval, err)})
		case <-w.ready:
			for _, c := range w.take() {
				report(c)
			}
		case <-notify.events():
			timer.Reset(s.touched(time.Now()))
		case <-timer.C:
			notify.renew(paths)
			_, err := p.refresh(ctx, false)
			timer.Reset(s.looked(err))
		}
	}
}

// subscribe registers a watcher and returns the paths to watch.
func (p *Provider) subscribe(ctx context.Context, w *watcher) ([]string, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closing.Done():
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.closing.Err() != nil {
		return nil, ErrClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers[w] = struct{}{}
	if p.origin == nil {
		return nil, nil
	}
	return p.origin.files(), nil
}

func (p *Provider) unsubscribe(w *watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watchers, w)
}

// watcher holds the changes that a Watch has not reported yet.
type watcher struct {
	mu      sync.Mutex
	changes []Change
	ready   chan struct{} // holds a token while there are some
}

func (w *watcher) add(c Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes = append(w.changes, c)
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *watcher) take() []Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	changes := w.changes
	w.changes = nil
	return changes
}

// schedule says when to look at the files next.
type schedule struct {
	poll    time.Duration
	since   time.Time     // of the first event that was not looked after yet
	backoff time.Duration // 0 after a success
}

// touched returns how long to wait after an event.
func (s *schedule) touched(now time.Time) time.Duration {
	if s.since.IsZero() {
		s.since = now
	}
	return max(0, min(settleTime, settleTimeMost-now.Sub(s.since)))
}

// looked returns how long to wait after a look.
func (s *schedule) looked(err error) time.Duration {
	s.since = time.Time{}
	if err == nil {
		s.backoff = 0
		return s.poll
	}
	s.backoff = max(firstRetry, 2*s.backoff)
	return min(s.backoff, s.poll)
}
