package provider

import (
	"fmt"
	"strings"

	"github.com/mazevault/vault-tool/internal/redact"
	"github.com/mazevault/vault-tool/internal/scope"
)

// ErrScope: a path that cannot be a scope's: it is empty, begins with '.' or '/', or has a part that is empty, "." or "..".
var ErrScope = scope.ErrBad

// Scoped are the lookups of one scope, of a tenant say: the secrets whose names begin with its path and a '/', named without that. No
// name leads out of it. It is safe for concurrent use, and follows the provider as the vault changes.
type Scoped struct {
	redact.Value
	provider *Provider
	scope    scope.Scope
	problem  error
}

// Scope returns the lookups of the scope at path, such as "acme" for acme/SMTP_PASSWORD. It has the vault's secrets only, and falls back to
// nothing: what the environment holds is nobody's in particular. The path may come from outside: one that is no scope's has no secrets,
// and every lookup's error wraps [ErrScope].
func (p *Provider) Scope(path string) *Scoped {
	return &Scoped{provider: p, scope: scope.Scope{Path: path}, problem: scope.Validate(path)}
}

// OrShared returns the lookups of the scope that fall back, for a name that it lacks, to the secret without a scope: the vault's, else the
// environment's. A name with a '/' is another scope's, and never shared.
func (s *Scoped) OrShared() *Scoped {
	shared := *s
	shared.scope.Inherit = true
	return &shared
}

// Get is [Provider.Get] in the scope.
func (s *Scoped) Get(name string) string {
	value, _, _ := s.Lookup(name) // there is none where there is an error
	return value
}

// Lookup is [Provider.Lookup] in the scope. The error wraps [ErrScope] or [ErrClosed], or is nil.
func (s *Scoped) Lookup(name string) (value string, source Source, err error) {
	err = s.within(name, func(r *reader, full string, found bool) error {
		if found {
			value, source = r.lookup(full)
		}
		return nil
	})
	return value, source, err
}

// Use is [Provider.Use] in the scope. The error is f's, or wraps [ErrNotFound], [ErrScope] or [ErrClosed].
func (s *Scoped) Use(name string, f func(secret []byte) error) error {
	return s.within(name, func(r *reader, full string, found bool) error {
		if !found {
			return fmt.Errorf("%w: %s", ErrNotFound, printable(s.scope.Name(name)))
		}
		return r.use(full, f)
	})
}

// Require is [Provider.Require] in the scope.
func (s *Scoped) Require(names ...string) error {
	missing := &MissingError{}
	for _, name := range names {
		err := s.within(name, func(r *reader, full string, found bool) error {
			source, empty := FromNone, true
			if found {
				source, empty = r.find(full)
			}
			switch {
			case source == FromNone:
				missing.Unset = append(missing.Unset, name)
			case empty:
				missing.Empty = append(missing.Empty, name)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if missing.Unset == nil && missing.Empty == nil {
		return nil
	}
	return missing
}

// Names returns the names of the scope's secrets in the vault, and where they are shared those of the secrets without a scope, sorted
// bytewise; none where there is an error.
func (s *Scoped) Names() []string {
	if s.problem != nil {
		return nil
	}
	return s.scope.Of(vaultNames{s.provider.Names()}).Names()
}

// vaultNames are secrets of which only the names are asked for.
type vaultNames struct{ names []string }

func (v vaultNames) Names() []string                      { return v.names }
func (v vaultNames) Use(string, func([]byte) error) error { return ErrNotFound }

// within calls f with the name under which a secret of the scope is to be looked up, if it is found at all.
func (s *Scoped) within(name string, f func(r *reader, full string, found bool) error) error {
	if s.problem != nil {
		return s.problem
	}
	current, count := s.provider.acquire()
	if current == nil {
		return ErrClosed
	}
	defer current.leave(count)
	r := s.provider.readerOf(current)
	full := s.scope.Name(name)
	if _, ok := r.values[full]; ok {
		return f(&r, full, true)
	}
	return f(&r, name, s.scope.Inherit && !strings.Contains(name, "/"))
}
