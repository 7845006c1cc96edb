// Package scope shows the secrets of one scope: those whose names begin with its path and a '/', without that beginning.
package scope

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrBad is wrapped by the error for a path that cannot be a scope's.
var ErrBad = errors.New("not a scope")

// Scope is a part of the secrets. The zero value is all of them.
type Scope struct {
	Path    string
	Inherit bool // a name that the scope lacks is that of the secret without a scope
}

// Validate returns an error wrapping ErrBad for a path that is empty, begins with '.', '/' or '-', has an empty part or one of dots only,
// or a character that no name has.
// Such a path would be no part of a name, or would show what belongs to no scope.
func Validate(path string) error {
	problem := ""
	switch {
	case path == "":
		problem = "it is empty"
	case path[0] == '.' || path[0] == '/' || path[0] == '-':
		problem = "it begins with '.', '/' or '-'"
	}
	for i := range len(path) {
		if c := path[i]; problem == "" && !isNameByte(c) {
			problem = "letters, digits, '_', '.' and '-' are allowed, and '/' between parts"
		}
	}
	for part := range strings.SplitSeq(path, "/") {
		if problem == "" && (part == "" || part == "." || part == "..") {
			problem = "a part of it is empty, '.' or '..'"
		}
	}
	if problem != "" {
		return fmt.Errorf("%w: %q: %s", ErrBad, path, problem)
	}
	return nil
}

// isNameByte tells whether a byte can stand in the name of a secret.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-' || c == '/'
}

// Name is the full name of a secret of the scope.
func (s Scope) Name(name string) string {
	if s.Path == "" {
		return name
	}
	return s.Path + "/" + name
}

// Cut is the name within the scope of a secret with the given full name, if it is one of the scope.
func (s Scope) Cut(full string) (name string, ok bool) {
	if s.Path == "" {
		return full, true
	}
	rest, ok := strings.CutPrefix(full, s.Path)
	if !ok || len(rest) < 2 || rest[0] != '/' {
		return "", false
	}
	return rest[1:], true
}

// Secrets can be looked up by name.
type Secrets interface {
	Names() []string // sorted
	Use(name string, f func(value []byte) error) error
}

// Of returns the scope's view of secrets.
func (s Scope) Of(secrets Secrets) Secrets {
	if s.Path == "" {
		return secrets
	}
	return view{s, secrets}
}

type view struct {
	scope   Scope
	secrets Secrets
}

// has tells whether there is a secret of a full name.
func (v view) has(full string) bool {
	if quick, ok := v.secrets.(interface{ Has(name string) bool }); ok {
		return quick.Has(full)
	}
	_, found := slices.BinarySearch(v.secrets.Names(), full)
	return found
}

// full is the full name of what the view has under a name.
func (v view) full(name string) string {
	full := v.scope.Name(name)
	// What has a '/' is another scope's, which no view reaches.
	if v.scope.Inherit && !strings.Contains(name, "/") && !v.has(full) {
		return name
	}
	return full
}

func (v view) Use(name string, f func(value []byte) error) error {
	return v.secrets.Use(v.full(name), f)
}

func (v view) Names() []string {
	var names []string
	for _, full := range v.secrets.Names() {
		if name, ok := v.scope.Cut(full); ok {
			names = append(names, name)
		} else if v.scope.Inherit && !strings.Contains(full, "/") {
			names = append(names, full)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
