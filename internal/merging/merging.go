// Package merging puts together by name what two have changed in the same set of secrets.
package merging

import (
	"slices"

	"github.com/mazevault/vault-tool/internal/difference"
)

// Secrets can be looked up by name.
type Secrets = difference.Secrets

// Result is what is to be done to ours. The names are sorted.
type Result struct {
	Take      []string // names that get theirs' value
	Remove    []string // names that are to be removed
	Conflicts []string // names that both have changed, otherwise: ours' value stays, until somebody decides
}

// ByName finds what has to be done to ours, so that what was changed from base to theirs is changed there too. What both have changed in the
// same way is no conflict.
func ByName(base, ours, theirs Secrets) (Result, error) {
	m := merge{base: newSide(base), ours: newSide(ours), theirs: newSide(theirs)}
	names := slices.Concat(m.base.names, m.theirs.names) // what ours alone has, theirs has not changed
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if err := m.decide(name); err != nil {
			return Result{}, err
		}
	}
	return m.result, nil
}

type merge struct {
	base, ours, theirs side
	result             Result
}

type side struct {
	Secrets
	names []string
}

func newSide(s Secrets) side { return side{s, s.Names()} }

func (s side) has(name string) bool {
	_, ok := slices.BinarySearch(s.names, name)
	return ok
}

func (m *merge) decide(name string) error {
	unchanged, err := same(m.base, m.theirs, name)
	if err != nil || unchanged {
		return err
	}
	done, err := same(m.ours, m.theirs, name)
	if err != nil || done {
		return err
	}
	untouched, err := same(m.base, m.ours, name)
	switch {
	case err != nil:
		return err
	case !untouched:
		m.result.Conflicts = append(m.result.Conflicts, name)
	case m.theirs.has(name):
		m.result.Take = append(m.result.Take, name)
	default:
		m.result.Remove = append(m.result.Remove, name)
	}
	return nil
}

// same tells whether two sides have the same of a name: one value, or none.
func same(a, b side, name string) (bool, error) {
	switch {
	case a.has(name) != b.has(name):
		return false, nil
	case !a.has(name):
		return true, nil
	}
	return difference.Equal(a, b, name)
}
