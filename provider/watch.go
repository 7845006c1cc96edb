package provider

import (
	"context"
	"fmt"
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

// Watch keeps the secrets current until ctx ends, and calls report for every change; nil is for who only
// wants them current. It blocks: start it in a goroutine, or see [WithWatch]. It notices that the vault or its
// key file is replaced, also by way of symbolic links (as Kubernetes does it) or of a bind-mounted directory, by
// notifications of the system and by looking every poll interval where those do not come. A vault rewritten
// under the same key is read again without a key derivation.
//
// report is called by the goroutine that called Watch, in order, and may call the provider. While it runs the
// secrets are kept current all the same, and what it has missed then comes in one change. It is not called for
// what changes no secret, such as a rotation of the key. An error is reported once, however often it is met,
// until one of another kind takes its place or it is over; see [Change]. Changes found by Reload and
// WithRotation are reported too. Of several Watch calls each gets all. What was found while nobody watched,
// since the opening or since the last Watch has ended, goes to the next one, and a problem that lasts is told to
// each that begins. Where the system refuses notifications, from the start or later, an [ErrNoNotify] is
// reported, once in a Watch, and polling goes on.
//
// The error is ctx's, or [ErrClosed] when the provider is closed.
func (p *Provider) Watch(ctx context.Context, report func(Change)) error {
	w, err := p.subscribe(ctx, newWatcher())
	if err != nil {
		return err
	}
	defer p.unsubscribe(w)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.closing.Done():
			return ErrClosed
		case <-w.ready:
			if c, ok := w.take(); ok && report != nil {
				report(c)
			}
		}
	}
}

// keeper is the goroutine that keeps the secrets current while there are watchers. There is one, however many they are.
type keeper struct {
	stop    context.CancelFunc
	stopped chan struct{}
}

// keepCurrent looks at the files when they are touched, and every poll interval, until ctx ends.
func (p *Provider) keepCurrent(ctx context.Context) {
	var paths []string
	if p.origin != nil {
		paths = p.origin.files()
	}
	p.warn(nil)
	notify := p.newNotifier(paths)
	defer notify.close()
	timer := time.NewTimer(0) // something may have changed since the opening
	defer timer.Stop()
	s := schedule{poll: p.pollInterval}
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-notify.failure():
			p.warn(fmt.Errorf("%w, files are looked at every %v: %w", ErrNoNotify, p.pollInterval, err))
		case <-notify.events():
			timer.Reset(s.touched(time.Now()))
		case <-timer.C:
			notify.renew(paths)
			_, err := p.refresh(ctx, false)
			timer.Reset(s.looked(err))
		}
	}
}

// warn notes why the keeper is not notified of changes, and tells the watchers.
func (p *Provider) warn(deafness error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deafness = deafness
	for w := range p.watchers {
		w.warn(deafness)
	}
}

// subscribe makes w one of the watchers, who are told what happens from now on, and keeps the secrets current for as long as
// there are any. The first for a Watch is not w but the one with what nobody was told.
func (p *Provider) subscribe(ctx context.Context, w *watcher) (*watcher, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing.Err() != nil {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !w.inner && p.untold != nil {
		w, p.untold = p.untold, nil
	} else {
		w.add(Change{Err: p.problem})
	}
	w.warn(p.deafness)
	p.watchers[w] = struct{}{}
	if p.keeper == nil {
		looking, stop := context.WithCancel(p.closing)
		k := &keeper{stop: stop, stopped: make(chan struct{})}
		p.keeper = k
		go func() {
			defer close(k.stopped)
			p.keepCurrent(looking)
		}()
	}
	return w, nil
}

// unsubscribe ends that. When no Watch is left, what comes is kept for the next.
func (p *Provider) unsubscribe(w *watcher) {
	if k := p.remove(w); k != nil {
		k.stop()
		<-k.stopped
	}
}

// remove returns the keeper if it has nobody to work for any more.
func (p *Provider) remove(w *watcher) *keeper {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watchers, w)
	outer := false
	for other := range p.watchers {
		outer = outer || !other.inner
	}
	if !w.inner && !outer {
		w.restart()
		p.untold = w
	}
	if len(p.watchers) > 0 {
		return nil
	}
	k := p.keeper
	p.keeper = nil
	return k
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
