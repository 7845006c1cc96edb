package provider

import (
	"time"

	"github.com/mazevault/vault-tool/vaultfile"
)

// Status is what may be shown of a provider in a health check: no names and no values.
type Status struct {
	Vault      bool      // there is a vault; false for the environment alone
	Secrets    int       // in the vault
	Generation uint64    // counts the vaults loaded so far, from 1; 0 without a vault
	Loaded     time.Time // when the one in service was loaded
	Checked    time.Time // when the last look at the vault ended, with a problem or without; zero without a vault
	Looks      uint64    // how many looks have ended, the opening among them
	Failures   uint64    // how many of them with a problem
	Problem    error     // why the last look failed, nil if it did not
	Warnings   []error   // what an operator should know although all works: [ErrSuccessor], [ErrNoNotify]
	ShortKey   bool      // the passphrase has less than keysource.ShortBytes bytes
	NotLocked  error     // why secrets are not in locked memory, nil if they are; see vaultfile.MemoryLocked
}

// Status tells how the provider is. The error is [ErrClosed] or nil.
func (p *Provider) Status() (Status, error) {
	s, count := p.acquire()
	if s == nil {
		return Status{}, ErrClosed
	}
	defer s.leave(count)
	status := Status{Loaded: s.loaded, Generation: s.generation, NotLocked: vaultfile.MemoryLocked()}
	if s.vault != nil {
		status.Vault, status.Secrets = true, s.vault.Len()
	}
	if p.short != nil {
		status.ShortKey = p.short.Load()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	status.Checked, status.Looks, status.Failures, status.Problem = p.checked, p.looks, p.failures, p.problem
	for _, warning := range []error{p.standing, p.deafness} {
		if warning != nil {
			status.Warnings = append(status.Warnings, warning)
		}
	}
	return status, nil
}

// Health returns nil while the provider is open and its last look at the vault found no problem; else
// [ErrClosed] or the problem. With a problem the secrets are still there, as they were; but a restart of the
// service would fail, or they are old.
func (p *Provider) Health() error {
	if p.closing.Err() != nil {
		return ErrClosed
	}
	return p.lastProblem()
}
