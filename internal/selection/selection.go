// Package selection chooses names of secrets by globs, in one way for every command.
//
// In a glob '*' stands for any characters, also for the '/' between the parts of a name, '?' for any one of them,
// [a-z] for one of a range, and a backslash takes the meaning of what follows it. A glob without any of these is
// literal: it is meant to be a name.
package selection

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// ErrGlob is wrapped by the error for a glob that cannot be understood, which names it.
var ErrGlob = errors.New("invalid glob")

// Validate returns an error wrapping ErrGlob for the first glob that is none.
func Validate(globs []string) error {
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("%w %q", ErrGlob, glob)
		}
	}
	return nil
}

// IsLiteral tells whether a glob can match no name but itself.
func IsLiteral(glob string) bool { return !strings.ContainsAny(glob, `*?[\`) }

// Matches tells whether one of the globs, which are valid, matches name.
func Matches(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool { return match(glob, name) })
}

// slash takes the place of '/', which path.Match lets no '*' match. No name has it.
const slash = "\x01"

func match(glob, name string) bool {
	if IsLiteral(glob) {
		return glob == name
	}
	ok, err := path.Match(strings.ReplaceAll(glob, "/", slash), strings.ReplaceAll(name, "/", slash))
	return ok && err == nil
}

// Selection is what --only and --except say. The zero value selects all.
type Selection struct {
	Only   []string // globs, of which one has to match; all names if there is none
	Except []string // globs, of which none may match
}

// Validate returns an error wrapping ErrGlob for a glob that is none.
func (s Selection) Validate() error { return errors.Join(Validate(s.Only), Validate(s.Except)) }

// Has tells whether name is selected.
func (s Selection) Has(name string) bool {
	return (len(s.Only) == 0 || Matches(s.Only, name)) && !Matches(s.Except, name)
}

// Names returns those of names that are selected.
func (s Selection) Names(names []string) []string {
	selected := []string{} // an empty array, not null, as JSON
	for _, name := range names {
		if s.Has(name) {
			selected = append(selected, name)
		}
	}
	return selected
}

// Named tells whether an --only names it literally.
func (s Selection) Named(name string) bool { return slices.Contains(s.Only, name) }

// Unmatched is a glob that matches none of the names there are.
type Unmatched struct {
	Flag string // "only" or "except"
	Glob string
}

// Unmatched returns what matches nothing: a slip in --only loses a secret, one in --except gives one away.
func (s Selection) Unmatched(names []string) (literals, globs []Unmatched) {
	for _, list := range []struct {
		flag  string
		globs []string
	}{{"only", s.Only}, {"except", s.Except}} {
		for _, glob := range list.globs {
			u := Unmatched{list.flag, glob}
			switch {
			case slices.ContainsFunc(names, func(name string) bool { return match(glob, name) }):
			case IsLiteral(glob):
				literals = append(literals, u)
			default:
				globs = append(globs, u)
			}
		}
	}
	return literals, globs
}
