// Package azurekey is the passphrase of a vault in Azure Key Vault, fetched by vault-tool-net. It is what
// keysource/azurekeyvault is to a service, without an SDK in the process.
package azurekey

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/mazevault/vault-tool/internal/azureaddress"
	"github.com/mazevault/vault-tool/internal/exchange"
	"github.com/mazevault/vault-tool/keysource"
)

// Asker has requests answered, as companion.Program does.
type Asker interface {
	Ask(ctx context.Context, requests []exchange.Record, limit int) (*exchange.Message, error)
}

// Source reads a passphrase from a secret. It implements keysource.Source and vaultfile.SuccessorSource, holds no
// secret between calls unless [Together] makes it, and is safe for concurrent use.
type Source struct {
	address azureaddress.Address
	asker   Asker
	opened  atomic.Bool // a passphrase of this source has opened a vault
	batch   *batch      // nil for a source that asks alone
}

var _ keysource.Source = (*Source)(nil)

// New returns the source for a secret, azureaddress.DefaultSecret if its name is empty. Nothing is asked yet. Errors
// wrap those of azureaddress.
func New(vaultURL, secret string, asker Asker) (*Source, error) {
	address, err := azureaddress.Parse(vaultURL, secret)
	if err != nil {
		return nil, err
	}
	return &Source{address: address, asker: asker}, nil
}

// String returns the address of the secret.
func (s *Source) String() string { return s.address.String() }

// Passphrase implements keysource.Source. Errors match an exchange.Kind, an error of package companion, or that of the
// context; keysource.ErrEmpty and ErrTooLarge are wrapped where they apply.
func (s *Source) Passphrase(ctx context.Context, use func(passphrase []byte) error) error {
	answer, release, err := s.newest(ctx)
	if err != nil {
		return err
	}
	defer release()
	passphrase, ok := answer.Get(exchange.FieldValue)
	if !ok || len(passphrase) == 0 {
		return s.named(exchange.ErrMalformed)
	}
	return use(passphrase)
}

// newest returns the answer with the newest version of the secret.
func (s *Source) newest(ctx context.Context) (answer exchange.Record, release func(), err error) {
	if s.batch != nil {
		answer, release, err = s.batch.take(ctx, s)
		if answer != nil || err != nil {
			return answer, release, err
		}
	}
	return s.ask(ctx, s.request())
}

func (s *Source) request() exchange.Record {
	return exchange.AzureKey(s.address.Vault, s.address.Secret)
}

// Close wipes what is kept for this source.
func (s *Source) Close() {
	if s.batch != nil {
		s.batch.forget(s)
	}
}

// Opened tells the source that a passphrase of its has opened a vault. From then on it has no successor.
func (s *Source) Opened() { s.opened.Store(true) }

// Successor implements vaultfile.SuccessorSource with the version of the secret directly before the newest; see
// azurekeyvault.Source.Successor.
func (s *Source) Successor(ctx context.Context, use func(passphrase []byte) error) (name string, err error) {
	if s.opened.Load() {
		return "", nil
	}
	answer, release, err := s.ask(ctx, exchange.AzureKeyBefore(s.address.Vault, s.address.Secret))
	if err != nil {
		return "", err
	}
	defer release()
	if len(answer) == 0 {
		return "", nil
	}
	name = answer.Text(exchange.FieldName)
	passphrase, ok := answer.Get(exchange.FieldValue)
	if !ok || len(passphrase) == 0 || name == "" {
		return "", s.named(exchange.ErrMalformed)
	}
	return name, use(passphrase)
}

// maxAnswerBytes has room for the largest passphrase, or the longest text of a failure.
const maxAnswerBytes = keysource.MaxBytes + 16<<10

// ask has one request answered.
func (s *Source) ask(ctx context.Context, request exchange.Record) (answer exchange.Record, release func(), err error) {
	answers, err := s.asker.Ask(ctx, []exchange.Record{request}, maxAnswerBytes)
	if err != nil {
		return nil, nil, s.named(err)
	}
	if err := s.failure(answers.Records[0]); err != nil {
		answers.Destroy()
		return nil, nil, err
	}
	return answers.Records[0], answers.Destroy, nil
}

// failure is the error that an answer is, if it is one. The text of a failure names the secret already.
func (s *Source) failure(answer exchange.Record) error {
	err := exchange.FailureOf(answer)
	switch {
	case errors.Is(err, exchange.SecretEmpty):
		return &also{err, keysource.ErrEmpty}
	case errors.Is(err, exchange.SecretTooLarge):
		return &also{err, keysource.ErrTooLarge}
	case errors.Is(err, exchange.ErrMalformed):
		return s.named(err)
	}
	return err
}

// named puts the secret in front of an error.
func (s *Source) named(err error) error { return &named{s.String(), err} }

// named is an error about a secret that has an address.
type named struct {
	address string
	cause   error
}

func (n *named) Error() string { return fmt.Sprintf("Azure Key Vault %s: %v", n.address, n.cause) }
func (n *named) Unwrap() error { return n.cause }

// also is an error that matches another one, too.
type also struct{ error, other error }

func (a *also) Error() string   { return a.error.Error() }
func (a *also) Unwrap() []error { return []error{a.error, a.other} }
