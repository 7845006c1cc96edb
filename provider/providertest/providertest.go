// Package providertest gives the tests of services a provider with secrets from a map, without a file,
// a key or a derivation:
//
//	secrets := providertest.New(t, map[string]string{"DATABASE_URL": dsn})
//	service := newService(secrets.Provider)
//	secrets.Set(map[string]string{"DATABASE_URL": otherDSN}) // as if the vault had been replaced
package providertest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/provider"
	"github.com/mazevault/vault-tool/vaultfile"
)

// Secrets is a provider whose vault the test writes.
type Secrets struct {
	*provider.Provider
	tb testing.TB

	mu      sync.Mutex
	secrets map[string]string
	failure error
}

// New returns a provider whose vault holds secrets; it is closed when the test ends. Nothing of the
// environment is seen, unless options pass a [provider.WithLookupEnv]. Names and values have to be such
// as a vault can hold, or the test fails.
func New(tb testing.TB, secrets map[string]string, options ...provider.Option) *Secrets {
	tb.Helper()
	s := &Secrets{tb: tb, secrets: maps.Clone(secrets)}
	config := provider.Config{LookupEnv: func(string) (string, bool) { return "", false }}
	for _, option := range options {
		option(&config)
	}
	config.Load = s.load
	p, err := provider.Open(context.Background(), config)
	if err != nil {
		tb.Fatalf("providertest: %v", err)
	}
	s.Provider = p
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Errorf("providertest: %v", err)
		}
	})
	return s
}

// Set replaces the content of the vault. When it returns the provider has it, and every Watch that runs
// reports it next.
func (s *Secrets) Set(secrets map[string]string) {
	s.tb.Helper()
	s.mu.Lock()
	s.secrets, s.failure = maps.Clone(secrets), nil
	s.mu.Unlock()
	if _, err := s.Reload(context.Background()); err != nil {
		s.tb.Errorf("providertest: %v", err)
	}
}

// Prepare replaces the content of the vault, but does not reload: the provider finds it when something
// makes it look, as a failure in WithRotation does.
func (s *Secrets) Prepare(secrets map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets, s.failure = maps.Clone(secrets), nil
}

// Fail makes the vault one that does not open, until the next Set or Prepare. The provider goes on with
// what it has, and every Watch that runs gets err.
func (s *Secrets) Fail(err error) {
	s.mu.Lock()
	s.failure = err
	s.mu.Unlock()
	_, _ = s.Reload(context.Background()) // the error is the one that was asked for
}

func (s *Secrets) load(context.Context) (*vaultfile.Vault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return nil, s.failure
	}
	if len(s.secrets) == 0 {
		return vaultfile.FromJSON([]byte("{}"))
	}
	for name, value := range s.secrets {
		if !utf8.ValidString(value) { // json.Marshal would repair it in silence
			return nil, fmt.Errorf("%w: %s", vaultfile.ErrBadValue, name)
		}
	}
	payload, err := json.Marshal(s.secrets)
	if err != nil {
		return nil, err
	}
	return vaultfile.FromJSON(payload)
}
