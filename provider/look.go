package provider

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/mazevault/vault-tool/vaultfile"
)

// look is one look at the origin. It runs in a goroutine of its own, so that nobody has to wait for it longer than he
// wants. All who ask for a look before it begins share it: in an outage fifty callers cost two looks, not fifty.
type look struct {
	thorough bool
	callers  int             // who still wait; guarded by Provider.mu
	ctx      context.Context // ends when nobody waits any more, or with the provider
	cancel   context.CancelFunc
	done     chan struct{} // closed at the end, when what follows is set
	change   Change
	err      error
}

// refresh asks the origin for a new vault and puts it into service. Readers are not disturbed. The look it waits for
// begins after the call.
func (p *Provider) refresh(ctx context.Context, thorough bool) (Change, error) {
	if err := ctx.Err(); err != nil {
		return Change{}, err
	}
	if p.closing.Err() != nil {
		return Change{}, ErrClosed
	}
	if p.origin == nil {
		return Change{}, nil
	}
	l := p.join(thorough)
	defer p.leave(l)
	select {
	case <-l.done:
		return l.change, l.err
	case <-ctx.Done():
		return Change{}, ctx.Err()
	case <-p.closing.Done():
		return Change{}, ErrClosed
	}
}

// join returns the next look to begin, with the caller among those who wait for it.
func (p *Provider) join(thorough bool) *look {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.waiting
	if l == nil || l.callers == 0 { // one that all have given up is over before it begins
		l = &look{done: make(chan struct{})}
		l.ctx, l.cancel = context.WithCancel(p.closing)
		p.waiting = l
	}
	l.thorough = l.thorough || thorough
	l.callers++
	if p.running == nil {
		p.running, p.waiting = l, nil
		go p.carryOut(l)
	}
	return l
}

func (p *Provider) leave(l *look) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.callers--; l.callers == 0 {
		l.cancel()
	}
}

// carryOut does a look, and those that are asked for meanwhile.
func (p *Provider) carryOut(l *look) {
	for l != nil {
		l.change, l.err = p.look(l.ctx, l.thorough)
		p.mu.Lock()
		close(l.done)
		l = p.waiting
		p.running, p.waiting = l, nil
		p.mu.Unlock()
	}
}

// look asks the origin, one look at a time.
func (p *Provider) look(ctx context.Context, thorough bool) (Change, error) {
	if p.closing.Err() != nil {
		return Change{}, ErrClosed
	}
	if err := ctx.Err(); err != nil { // all who waited have gone
		return Change{}, err
	}
	vault, err := p.origin.refresh(ctx, thorough)
	var c Change
	if vault != nil {
		var refused error
		if c, refused = p.swapIn(vault); err == nil {
			err = refused
		}
	}
	if p.closing.Err() != nil {
		return c, ErrClosed
	}
	c.Warning = errors.Join(c.Warning, p.origin.warning())
	if err != nil && ctx.Err() != nil { // the callers gave up, which says nothing about the vault
		c.Err = p.lastProblem()
	} else {
		c.Err = err
		p.noteLook(err, p.origin.standing())
	}
	p.publish(c)
	return c, err
}

// noteLook notes that a look has come to its end, and what the origin has to say of the vault in service.
func (p *Provider) noteLook(problem, standing error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checked, p.standing = time.Now(), standing
	p.looks++
	if problem != nil {
		p.failures++
	}
}

// swapIn puts a vault into service and returns how its content differs from that of the one before. It is called by one
// look at a time. An error says why the vault before stays: the provider has had this one already, a secret is missing
// from it, or the provider is closed.
func (p *Provider) swapIn(vault *vaultfile.Vault) (Change, error) {
	old := p.current.Load()
	if old == nil {
		vault.Close()
		return Change{}, ErrClosed
	}
	if vault == old.vault {
		return Change{}, errVaultAgain
	}
	next, err := newSnapshot(vault, old.generation+1)
	if err != nil {
		return Change{}, errors.Join(errVaultAgain, err)
	}
	if err := p.fits(next); err != nil {
		p.origin.refuse()
		vault.Close()
		return Change{}, err
	}
	var c Change
	if old.vault != nil { // at the opening all is new, and nothing has changed
		c = compare(old, next)
		c.Warning = p.keepPrevious(old, c)
	}
	if !p.replace(old, next) {
		vault.Close()
		return Change{}, ErrClosed
	}
	return c, nil
}

// fits returns why a vault cannot be put into service.
func (p *Provider) fits(s *snapshot) error {
	if err := s.learnReferences(); err != nil {
		return err
	}
	if len(s.references) > 0 && !p.references {
		return &ReferenceError{Names: slices.Sorted(maps.Keys(s.references))}
	}
	lookups := p.readerOf(s)
	return lookups.require(p.required...)
}

// replace puts next in the place of old, unless the provider has been closed meanwhile.
func (p *Provider) replace(old, next *snapshot) bool {
	if !p.current.CompareAndSwap(old, next) {
		return false
	}
	old.retire()
	return true
}

var errVaultAgain = errors.New("provider: Config.Load returned the same vault again; each call returns one of its own")
