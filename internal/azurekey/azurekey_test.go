package azurekey_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/azureaddress"
	"github.com/mazevault/vault-tool/internal/azurekey"
	"github.com/mazevault/vault-tool/internal/exchange"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

const testURL = "https://myvault.vault.azure.net"

// asker answers as the test has it.
type asker struct {
	answer func(exchange.Record) exchange.Record
	err    error
	asked  []string // the operations and secrets of each message
}

func (a *asker) Ask(_ context.Context, requests []exchange.Record, limit int) (*exchange.Message, error) {
	text := ""
	var m exchange.Message
	for _, r := range requests {
		text += r.Text(exchange.FieldOperation) + " " + r.Text(exchange.FieldSecret) + ";"
		if a.err == nil {
			m.Records = append(m.Records, a.answer(r))
		}
	}
	a.asked = append(a.asked, text)
	if a.err != nil {
		return nil, a.err
	}
	var out bytes.Buffer
	if err := exchange.Write(&out, &m); err != nil {
		return nil, err
	}
	return exchange.Read(&out, limit)
}

// key answers with the name of the secret as the passphrase.
func key(r exchange.Record) exchange.Record {
	return exchange.Record{{Name: exchange.FieldValue, Value: []byte("key " + r.Text(exchange.FieldSecret))}}
}

func newSource(t *testing.T, secret string, a *asker) *azurekey.Source {
	t.Helper()
	s, err := azurekey.New(testURL, secret, a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func read(s *azurekey.Source) (string, error) {
	var got string
	err := s.Passphrase(context.Background(), func(passphrase []byte) error {
		got = string(passphrase)
		return nil
	})
	return got, err
}

var _ vaultfile.SuccessorSource = (*azurekey.Source)(nil)

func TestPassphrase(t *testing.T) {
	t.Parallel()
	a := &asker{answer: key}
	s := newSource(t, "", a)
	if got, err := read(s); got != "key mazevault-vault-key" || err != nil {
		t.Errorf("got %q, error %v", got, err)
	}
	if s.String() != testURL+"/secrets/mazevault-vault-key" {
		t.Errorf("it is called %s", s)
	}
	own := errors.New("the caller's")
	if err := s.Passphrase(context.Background(), func([]byte) error { return own }); !errors.Is(err, own) {
		t.Errorf("error %v", err)
	}
	if _, err := azurekey.New("http://myvault.vault.azure.net", "", a); !errors.Is(err, azureaddress.ErrVaultURL) {
		t.Errorf("error %v", err)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	fail := func(kind exchange.Kind) func(exchange.Record) exchange.Record {
		return func(exchange.Record) exchange.Record {
			return (&exchange.Failure{Kind: kind, Text: "Azure Key Vault X: why"}).Record()
		}
	}
	for name, tt := range map[string]struct {
		asker asker
		err   error
		says  string
	}{
		"refused":       {asker{answer: fail(exchange.AccessDenied)}, exchange.AccessDenied, "Azure Key Vault X: why"},
		"empty":         {asker{answer: fail(exchange.SecretEmpty)}, keysource.ErrEmpty, "Azure Key Vault X: why"},
		"too large":     {asker{answer: fail(exchange.SecretTooLarge)}, keysource.ErrTooLarge, "Azure Key Vault X: why"},
		"not asked":     {asker{err: context.Canceled}, context.Canceled, testURL + "/secrets/s"},
		"no value":      {asker{answer: func(exchange.Record) exchange.Record { return exchange.Record{} }}, exchange.ErrMalformed, testURL + "/secrets/s"},
		"an odd answer": {asker{answer: func(exchange.Record) exchange.Record { return exchange.Record{{Name: "failure"}} }}, exchange.ErrMalformed, testURL + "/secrets/s"},
	} {
		s := newSource(t, "s", &tt.asker)
		if _, err := read(s); !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error %v, want %v that says %q", name, err, tt.err, tt.says)
		}
		if name == "no value" {
			continue // there is none before
		}
		if _, err := s.Successor(context.Background(), func([]byte) error { return nil }); !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v of the successor, want %v", name, err, tt.err)
		}
	}
}

func TestSuccessor(t *testing.T) {
	t.Parallel()
	var before exchange.Record
	a := &asker{answer: func(exchange.Record) exchange.Record { return before }}
	s := newSource(t, "s", a)
	successor := func() string {
		t.Helper()
		got := ""
		name, err := s.Successor(context.Background(), func(passphrase []byte) error {
			got = string(passphrase)
			return nil
		})
		return fmt.Sprintf("%s %s %v", name, got, err)
	}
	if got := successor(); got != "  <nil>" {
		t.Errorf("without one: %q", got)
	}
	before = exchange.Record{{Name: exchange.FieldName, Value: []byte("NAME")}, {Name: exchange.FieldValue, Value: []byte("old")}}
	if got := successor(); got != "NAME old <nil>" {
		t.Errorf("with one: %q", got)
	}
	s.Opened()
	if got := successor(); got != "  <nil>" || len(a.asked) != 2 || a.asked[1] != "azure-key-before s;" {
		t.Errorf("after an opening: %q, asked %q", got, a.asked)
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	a := &asker{answer: func(r exchange.Record) exchange.Record {
		if r.Text(exchange.FieldSecret) == "missing" {
			return (&exchange.Failure{Kind: exchange.SecretNotFound, Text: "no such secret"}).Record()
		}
		return key(r)
	}}
	one, two, missing := newSource(t, "one", a), newSource(t, "two", a), newSource(t, "missing", a)
	azurekey.Together(one, two, missing)
	for range 2 {
		err := one.Passphrase(context.Background(), func(first []byte) error {
			return two.Passphrase(context.Background(), func(second []byte) error {
				if string(first) != "key one" || string(second) != "key two" {
					t.Errorf("got %q and %q", first, second)
				}
				return nil
			})
		})
		if err != nil {
			t.Error(err)
		}
		if _, err := read(missing); !errors.Is(err, exchange.SecretNotFound) {
			t.Errorf("error %v", err)
		}
	}
	if len(a.asked) != 1 || a.asked[0] != "azure-key one;azure-key two;azure-key missing;" {
		t.Errorf("asked %q", a.asked)
	}
	if got, err := read(two); got != "key two" || err != nil || len(a.asked) != 2 || a.asked[1] != "azure-key two;" {
		t.Errorf("afresh: got %q, error %v, asked %q", got, err, a.asked)
	}
}

// TestTogetherFails: who asks for all is told; the others ask for themselves.
func TestTogetherFails(t *testing.T) {
	t.Parallel()
	a := &asker{answer: key, err: context.DeadlineExceeded}
	one, two := newSource(t, "one", a), newSource(t, "two", a)
	azurekey.Together(one, two)
	if _, err := read(one); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	a.err = nil
	if got, err := read(two); got != "key two" || err != nil {
		t.Errorf("got %q, error %v", got, err)
	}
}
