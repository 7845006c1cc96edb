package provider

import (
	"fmt"
	"time"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// previousSecret is the value that a secret had before its last change. Provider.mu guards it.
type previousSecret struct {
	secret *lockedmem.Buffer
	until  time.Time
	users  int
	over   bool // it is wiped when the last user has left
}

func (s *previousSecret) end() {
	s.over = true
	s.leave(0)
}

// leave takes users away, and wipes what has ended and nobody uses.
func (s *previousSecret) leave(users int) {
	s.users -= users
	if s.over && s.users == 0 && s.secret != nil {
		s.secret.Destroy()
		s.secret = nil
	}
}

// Previous calls f with the value that a secret of the vault had before its last change, for a grace period in which
// both are accepted: a service that checks what its clients send goes on to know the old one while they
// change over. It is kept for the length of [Config].Grace after the change; a second change within that time takes its place, and
// a secret that is removed from the vault has no previous value from then on. f must neither change nor keep the bytes, which
// are in locked memory.
// The error is f's, or wraps [ErrNoPrevious] or [ErrClosed].
func (p *Provider) Previous(name string, f func(secret []byte) error) error {
	p.mu.Lock()
	if p.closing.Err() != nil {
		p.mu.Unlock()
		return ErrClosed
	}
	s, ok := p.previous[name]
	if !ok || time.Now().After(s.until) {
		p.mu.Unlock()
		return fmt.Errorf("%w: %s", ErrNoPrevious, printable(name))
	}
	s.users++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		s.leave(1)
	}()
	return f(s.secret.Bytes())
}

// keepPrevious keeps the values that c changes, and ends those of what it removes. The error names the secrets for which there is no
// memory.
func (p *Provider) keepPrevious(old *snapshot, c Change) error {
	if p.grace <= 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range c.Removed {
		p.endPrevious(name)
	}
	var failure error
	until := time.Now().Add(p.grace)
	for _, name := range c.Changed {
		p.endPrevious(name)
		if _, is := old.references[name]; is {
			continue // its text was no value
		}
		value := old.values[name]
		secret, err := lockedmem.New(len(value))
		if err != nil {
			failure = fmt.Errorf("provider: the previous value of %s is not kept: %w", printable(name), err)
			continue
		}
		copy(secret.Bytes(), value)
		p.previous[name] = &previousSecret{secret: secret, until: until}
	}
	if len(c.Changed) > 0 {
		time.AfterFunc(p.grace, p.endOverdue)
	}
	return failure
}

// endPrevious ends one, if it is there. The caller holds p.mu.
func (p *Provider) endPrevious(name string) {
	if s, ok := p.previous[name]; ok {
		delete(p.previous, name)
		s.end()
	}
}

// endOverdue wipes what has been kept long enough.
func (p *Provider) endOverdue() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for name, s := range p.previous {
		if !now.Before(s.until) {
			p.endPrevious(name)
		}
	}
}

// endAllPrevious is for Close. The caller holds p.mu.
func (p *Provider) endAllPrevious() {
	for name := range p.previous {
		p.endPrevious(name)
	}
}
