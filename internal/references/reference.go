// Package references reads and writes references to secrets that an external store holds:
//
//	SCHEME://CONNECTION/PATH[?OPTION=VALUE[&…]][#/POINTER]
//
// A reference is a URI (RFC 3986). CONNECTION is the name of a connection in the vault and never a host, so that whoever can write one
// value cannot have credentials sent to an address of his. docs/stores.md lists schemes, path rules and options.
//
// The package knows no network, and no error of it has more of a text than the name of an option.
package references

import (
	"errors"
	"fmt"
	"strings"
)

// Scheme says which kind of store a reference is about.
type Scheme string

// The schemes.
const (
	AWS   Scheme = "awssm" // AWS Secrets Manager
	Azure Scheme = "akv"   // Azure Key Vault
	GCP   Scheme = "gcpsm" // GCP Secret Manager
	Vault Scheme = "vault" // the KV engines of HashiCorp Vault and OpenBao
)

// ErrBad is wrapped by every error about a text that is no reference.
var ErrBad = errors.New("not a reference")

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBad, fmt.Sprintf(format, args...))
}

// maxBytes is the most that a reference may have.
const maxBytes = 2048

// Ref is a reference. What an option leaves out is "", and means the connection's.
type Ref struct {
	Scheme     Scheme
	Connection string
	Path       string // decoded: the secret's name or ARN, or the mount and the path below it

	Version   string // of the store's own kind: a UUID, 32 hexadecimal digits, a number or an alias; "": the current one
	Stage     string // AWS: the staging label
	Region    string // AWS
	Project   string // GCP
	Namespace string // Vault
	Base64    bool   // deliver the content's bytes in Base64

	HasPointer bool
	Pointer    []string // RFC 6901, decoded
}

// Looks tells whether a text begins as a reference does.
func Looks(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	return ok && Scheme(scheme).known()
}

// Parse reads a reference. The error wraps ErrBad.
func Parse(text string) (Ref, error) {
	if len(text) > maxBytes {
		return Ref{}, bad("it has more than %d bytes", maxBytes)
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || !Scheme(scheme).known() {
		return Ref{}, bad("it does not begin with awssm://, akv://, gcpsm:// or vault://")
	}
	r := Ref{Scheme: Scheme(scheme)}
	rest, fragment, hasFragment := strings.Cut(rest, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	connection, path, ok := strings.Cut(rest, "/")
	if !ok || !ValidConnection(connection) {
		return Ref{}, bad("the name of a connection comes behind the scheme, in small letters, digits and '-': %s://CONNECTION/…", scheme)
	}
	r.Connection = connection
	if err := r.setPath(path); err != nil {
		return Ref{}, err
	}
	if hasQuery {
		if err := r.setOptions(query); err != nil {
			return Ref{}, err
		}
	}
	if hasFragment {
		if err := r.setPointer(fragment); err != nil {
			return Ref{}, err
		}
	}
	return r, r.check()
}

// maxConnectionBytes is the most that the name of a connection may have: a label of RFC 1123.
const maxConnectionBytes = 63

// ValidConnection tells whether a connection may have the name: small letters, digits and '-' between them.
func ValidConnection(name string) bool {
	if name == "" || len(name) > maxConnectionBytes || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	for _, c := range []byte(name) {
		if c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// check refuses what does not go together.
func (r Ref) check() error {
	switch {
	case r.Version != "" && r.Stage != "":
		return bad("version and stage exclude one another")
	case r.Base64 && r.HasPointer:
		return bad("encoding and a pointer exclude one another: what a pointer selects is text")
	case r.Region != "" && r.arnRegion() != "" && r.Region != r.arnRegion():
		return bad("region is another one than the ARN's")
	}
	return nil
}

// String is the canonical form: options in the order of their names, and as little escaped as can be.
func (r Ref) String() string {
	var b strings.Builder
	b.WriteString(string(r.Scheme) + "://" + r.Connection + "/" + escape(r.Path))
	separator := "?"
	write := func(name, value string) {
		if value != "" {
			b.WriteString(separator + name + "=" + escape(value))
			separator = "&"
		}
	}
	if r.Base64 {
		write(encodingOption, base64Encoding)
	}
	for _, o := range r.Scheme.options() {
		write(o.name, *o.field(&r))
	}
	if r.HasPointer {
		b.WriteString("#" + escape(pointerText(r.Pointer)))
	}
	return b.String()
}
