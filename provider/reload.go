package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/mazevault/vault-tool/vaultfile"
)

// Change says what a reload changed, by names and never by values. All lists are sorted. One without
// names and without Err says that an earlier problem is over.
type Change struct {
	Added   []string // in the vault now
	Changed []string // have another value
	Removed []string // not in the vault any more; the environment may still have them

	// Err is why the vault could not be read again: the last good snapshot serves on. Together with
	// names it means that the new vault is in service, but what is there would not open it again (the
	// key file was replaced by a wrong one, say). An [ErrNoNotify], which only Watch reports, is not about
	// the vault.
	Err error
}

// names tells whether the change is one of secrets.
func (c Change) names() bool { return len(c.Added)+len(c.Changed)+len(c.Removed) > 0 }

// Reload reads the vault again if it has been replaced, checks that the key still opens it, and returns
// what changed. It is for programs that reload on a signal; with [Provider.Watch] it is not needed, and
// what it finds is reported there too. The error is the change's Err, [ErrClosed], or ctx's. Without a
// vault it does nothing.
func (p *Provider) Reload(ctx context.Context) (Change, error) { return p.refresh(ctx, true) }

// refresh asks the origin for a new vault and puts it into service. Readers are not disturbed.
func (p *Provider) refresh(ctx context.Context, thorough bool) (Change, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return Change{}, ctx.Err()
	case <-p.closing.Done():
		return Change{}, ErrClosed
	}
	if p.closing.Err() != nil {
		return Change{}, ErrClosed
	}
	if p.origin == nil {
		return Change{}, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.closing, cancel)()

	vault, err := p.origin.refresh(ctx, thorough)
	var c Change
	if vault != nil {
		var unusable error
		if c, unusable = p.swapIn(vault); err == nil {
			err = unusable
		}
	}
	switch {
	case p.closing.Err() != nil:
		return c, ErrClosed
	case err != nil && ctx.Err() != nil: // the caller gave up, which says nothing about the vault
		c.Err = p.lastProblem()
	default:
		c.Err = err
	}
	p.publish(c)
	return c, err
}

func (p *Provider) lastProblem() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.problem
}

// swapIn puts a vault into service and returns how its content differs from that of the one before. The
// caller has the turn, so nobody else retires a snapshot meanwhile. The error is about a vault that the provider has had
// before, and has closed, or would close while it serves.
func (p *Provider) swapIn(vault *vaultfile.Vault) (Change, error) {
	old := p.current.Load()
	if vault == old.vault {
		return Change{}, errVaultAgain
	}
	next, err := newSnapshot(vault, old.generation+1)
	if err != nil {
		return Change{}, fmt.Errorf("%w: %w", errVaultAgain, err)
	}
	var c Change
	if old.vault != nil { // at the opening all is new, and nothing has changed
		c = compare(old, next)
	}
	p.current.Store(next)
	old.retire()
	return c, nil
}

var errVaultAgain = errors.New("provider: Config.Load returned the same vault again; each call returns one of its own")

// compare lists how after differs from before. Values are compared where they stand.
func compare(before, after *snapshot) Change {
	var c Change
	_ = after.vault.Each(func(name string, value []byte) error { // open, and the callback has no error
		switch earlier, ok := before.values[name]; {
		case !ok:
			c.Added = append(c.Added, name)
		case !bytes.Equal(earlier, value):
			c.Changed = append(c.Changed, name)
		}
		return nil
	})
	if before.vault.Len()+len(c.Added) > after.vault.Len() {
		for _, name := range before.vault.Names() {
			if _, ok := after.values[name]; !ok {
				c.Removed = append(c.Removed, name)
			}
		}
	}
	return c
}

// publish tells the watchers of a change: of one of secrets always, of a problem when it is another one
// than before, and of its end.
func (p *Provider) publish(c Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.problem
	p.problem = c.Err
	same := before == nil && c.Err == nil || before != nil && c.Err != nil && before.Error() == c.Err.Error()
	if same && !c.names() {
		return
	}
	for w := range p.watchers {
		w.add(c)
	}
}
