package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/internal/similar"
	"github.com/mazevault/vault-tool/vaultfile"
)

// globError adds exit code and hint to an error about globs.
func globError(err error) error {
	if errors.Is(err, selection.ErrGlob) {
		return badInput("write '*' for any characters, '?' for one, [a-z] for a range", "%w", err)
	}
	return err
}

// checkDelivered is checkSelection for secrets that are delivered. A scope that has none is refused: it is a slip, which would deliver nothing, or
// take away what was delivered.
func (a *app) checkDelivered(s selection.Selection, names []string) error {
	if len(names) == 0 && a.scope.Path != "" {
		return &failure{code: exitNotFound, kind: "secret_not_found", err: fmt.Errorf("%s: no secret is in the scope %s", a.vaultPath(), a.scope.Path), hint: "vault-tool list shows the names with their scopes"}
	}
	return a.checkSelection(s, names)
}

// checkSelection refuses a name in --only or --except that the vault does not have, and warns of a glob that matches
// nothing. A slip in --only would leave a program without a secret; one in --except would give it one that it must not
// have.
func (a *app) checkSelection(s selection.Selection, names []string) error {
	literals, globs := s.Unmatched(names)
	for _, u := range globs {
		a.warn("no secret matches --%s %q", u.Flag, u.Glob)
	}
	if len(literals) == 0 {
		return nil
	}
	var options []string
	for _, u := range literals {
		options = append(options, fmt.Sprintf("--%s %q", u.Flag, u.Glob))
	}
	return orSimilar(fmt.Errorf("%w: no secret matches %s", vaultfile.ErrNotFound, join(options)), names, literals[0].Glob)
}

// orSimilar adds to an error about a name that there is not the one that may have been meant.
func orSimilar(err error, names []string, name string) error {
	if meant := similar.Name(names, name); meant != "" {
		return &failure{code: exitNotFound, kind: kindOf(err, exitNotFound), err: err, hint: "did you mean: " + meant}
	}
	return err
}

// requireSelected fails unless each of the names is there, is selected, and has a value that is not empty: a program
// that needs a secret is not helped by another.
func requireSelected(s selection.Selection, required, names []string, use func(name string, f func([]byte) error) error) error {
	var missing, leftOut, empty []string
	for _, name := range required {
		switch {
		case !slices.Contains(names, name):
			missing = append(missing, name)
		case !s.Has(name):
			leftOut = append(leftOut, name)
		default:
			err := use(name, func(value []byte) error {
				if len(value) == 0 {
					empty = append(empty, name)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	switch {
	case len(missing) > 0:
		return orSimilar(fmt.Errorf("%w: %s", vaultfile.ErrNotFound, join(missing)), names, missing[0])
	case len(leftOut) > 0:
		return &failure{code: exitNotFound, err: fmt.Errorf("required, but left out by --only or --except: %s", join(leftOut))}
	case len(empty) > 0:
		return &failure{code: exitNotFound, err: fmt.Errorf("required, but empty in the vault: %s", join(empty))}
	}
	return nil
}
