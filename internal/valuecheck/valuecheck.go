// Package valuecheck examines the values of secrets: what slipped in beside them, what stands where a value is still to come, what is easily
// guessed, and what has expired. It looks at values where they stand and copies none; no finding holds a part of one, or its length.
package valuecheck

import (
	"time"

	"github.com/mazevault/vault-tool/internal/finding"
)

// Secrets are what is examined; a *vaultfile.Vault is. The values stay where they are meanwhile.
type Secrets interface {
	Each(f func(name string, value []byte) error) error
}

// Options adjust an examination.
type Options struct {
	Now           time.Time
	ExpiresWithin time.Duration // what ends so soon is told

	// Tool writes a command line of vault-tool for the vault of the secrets.
	Tool func(arguments string) string
}

// secret is one of the secrets.
type secret struct {
	name  string
	value []byte
}

// A check looks at one secret and returns what it found.
type check func(s secret, o Options) []finding.Finding

// checks are those of single secrets.
var checks = []check{empty, byteOrderMark, blanks, placeholder, weak, certificates, token, variableName}

// Examine runs all checks, secret by secret, and then looks for equal values.
func Examine(secrets Secrets, o Options) ([]finding.Finding, error) {
	var found []finding.Finding
	var all []secret
	err := secrets.Each(func(name string, value []byte) error {
		s := secret{name, value}
		all = append(all, s)
		for _, c := range checks {
			found = append(found, c(s, o)...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return append(found, equalValues(all)...), nil
}

// of is a list of one finding about a secret.
func (s secret) of(severity finding.Severity, check, what, mend string) []finding.Finding {
	return []finding.Finding{{Severity: severity, Check: check, What: what, Where: []string{s.name}, Mend: mend}}
}
