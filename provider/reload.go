package provider

import (
	"bytes"
	"context"
	"slices"
)

// Change says what a reload changed, by names and never by values. All lists are sorted. One without names, Err and
// Warning says that an earlier problem is over.
type Change struct {
	Added   []string // in the vault now
	Changed []string // have another value
	Removed []string // not in the vault any more; the environment may still have them

	// Err is why the vault could not be read again: the last good snapshot serves on. Together with
	// names it means that the new vault is in service, but what is there would not open it again (the
	// key file was replaced by a wrong one, say).
	Err error

	// Warning is what an operator should know although the secrets are current: an [ErrSuccessor], an
	// [ErrNoNotify], or that a previous value could not be kept. It is not about the health of the vault.
	Warning error
}

// names tells whether the change is one of secrets.
func (c Change) names() bool { return len(c.Added)+len(c.Changed)+len(c.Removed) > 0 }

// Touched tells whether one of the named secrets was added, changed or removed.
func (c Change) Touched(names ...string) bool {
	for _, name := range names {
		if slices.Contains(c.Added, name) || slices.Contains(c.Changed, name) || slices.Contains(c.Removed, name) {
			return true
		}
	}
	return false
}

// Reload reads the vault again if it has been replaced, checks that the key still opens it, and returns
// what changed. It is for programs that reload on a signal; with [Provider.Watch] it is not needed, and
// what it finds is reported there too. Calls at the same time share one look and its result. The error is
// the change's Err, [ErrClosed], or ctx's. Without a vault it does nothing.
func (p *Provider) Reload(ctx context.Context) (Change, error) { return p.refresh(ctx, true) }

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

// publish notes the problem of a look, and tells the watchers of it and of the change. What nobody watches is kept for the
// next Watch.
func (p *Provider) publish(c Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problem = c.Err
	for w := range p.watchers {
		w.add(c)
	}
	if p.untold != nil {
		p.untold.add(c)
	}
}

func (p *Provider) lastProblem() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.problem
}
