package exchange

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind says what an answer that is a failure is about. It is an error to branch on with errors.Is.
type Kind string

func (k Kind) Error() string { return string(k) }

// The kinds of failures. One that a program does not know is [Failed].
const (
	Failed              Kind = "failed"               // what no other kind is about
	BadRequest          Kind = "bad-request"          // vault-tool-net cannot do what it is asked for
	BadAddress          Kind = "bad-address"          // the address is not one of the store
	BadName             Kind = "bad-name"             // the store allows no secret of that name
	IdentityConfig      Kind = "identity-config"      // what names the identity is wrong or incomplete
	IdentityUnreachable Kind = "identity-unreachable" // who confirms the identity cannot be reached
	TokenRefused        Kind = "token-refused"        // the identity is not accepted
	StoreNotFound       Kind = "store-not-found"      // there is no such store
	StoreUnreachable    Kind = "store-unreachable"    // the store cannot be reached or is out of order
	Certificate         Kind = "certificate"          // the TLS certificate is not trusted
	AccessDenied        Kind = "access-denied"        // the identity may not read the secret
	Firewall            Kind = "firewall"             // the store does not let this host in
	SecretNotFound      Kind = "secret-not-found"     // the store has no such secret
	SecretDisabled      Kind = "secret-disabled"      // the secret is disabled or outside its dates
	Throttled           Kind = "throttled"            // too many requests
	Timeout             Kind = "timeout"              // no answer in time
	Encoding            Kind = "encoding"             // the secret is not encoded as it says
	UnexpectedAnswer    Kind = "unexpected-answer"    // the store answered what it should not
	SecretEmpty         Kind = "secret-empty"         // the secret is empty where it must not be
	SecretTooLarge      Kind = "secret-too-large"     // the secret is beyond the limit
)

var kinds = []Kind{
	Failed, BadRequest, BadAddress, BadName, IdentityConfig, IdentityUnreachable, TokenRefused, StoreNotFound, StoreUnreachable, Certificate,
	AccessDenied, Firewall, SecretNotFound, SecretDisabled, Throttled, Timeout, Encoding, UnexpectedAnswer, SecretEmpty, SecretTooLarge,
}

// Kinds returns all kinds of failures.
func Kinds() []Kind { return slices.Clone(kinds) }

// Failure is why there is no answer to a request, in words of ours: never a store's or an SDK's, which may hold a
// value. It matches its kind.
type Failure struct {
	Kind Kind
	Text string // at most 4096 bytes of UTF-8
}

func (f *Failure) Error() string { return f.Text }

// Unwrap makes the failure match its kind.
func (f *Failure) Unwrap() error { return f.Kind }

// The fields of an answer that is a failure.
const (
	fieldFailure = "failure"
	fieldText    = "text"
)

// Record returns the failure as an answer.
func (f *Failure) Record() Record {
	text := strings.ToValidUTF8(cmp.Or(f.Text, string(f.Kind)), "?")
	if len(text) > maxTextBytes {
		text = strings.ToValidUTF8(text[:maxTextBytes], "") // it may have been cut within a character
	}
	return Record{{fieldFailure, []byte(f.Kind)}, {fieldText, []byte(text)}}
}

// FailureOf returns the failure that an answer is, nil for one that is none, or an [ErrMalformed].
func FailureOf(r Record) error {
	kind, ok := r.Get(fieldFailure)
	if !ok {
		return nil
	}
	text, ok := r.Get(fieldText)
	if !ok || len(r) != 2 || len(text) == 0 || len(text) > maxTextBytes || !utf8.Valid(text) {
		return ErrMalformed
	}
	f := &Failure{Kind(kind), string(text)}
	if !slices.Contains(kinds, f.Kind) {
		f.Kind = Failed
	}
	return f
}
