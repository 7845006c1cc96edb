// Package difference tells by name how one set of secrets differs from another. It gives away nothing of a value but that it is another one.
package difference

import (
	"bytes"
	"cmp"
)

// Secrets can be looked up by name.
type Secrets interface {
	Names() []string // sorted bytewise
	Use(name string, f func(value []byte) error) error
}

// Difference has names, sorted. No list is nil.
type Difference struct {
	Added   []string // those that the second set alone has
	Removed []string // those that the first set alone has
	Changed []string // those with other values
	Same    int      // how many have one value
}

// Any tells whether the sets differ.
func (d *Difference) Any() bool { return len(d.Added)+len(d.Removed)+len(d.Changed) > 0 }

// Of compares the secrets that are wanted, in one walk through both sets.
func Of(from, to Secrets, wanted func(name string) bool) (Difference, error) {
	d := Difference{Added: []string{}, Removed: []string{}, Changed: []string{}}
	older, newer := from.Names(), to.Names()
	for len(older) > 0 || len(newer) > 0 {
		switch name, order := next(older, newer); {
		case order < 0:
			older = older[1:]
			d.Removed = appendWanted(d.Removed, name, wanted)
		case order > 0:
			newer = newer[1:]
			d.Added = appendWanted(d.Added, name, wanted)
		default:
			older, newer = older[1:], newer[1:]
			if !wanted(name) {
				continue
			}
			same, err := Equal(from, to, name)
			switch {
			case err != nil:
				return Difference{}, err
			case same:
				d.Same++
			default:
				d.Changed = append(d.Changed, name)
			}
		}
	}
	return d, nil
}

// next is the first of the names that are left. The order is below 0 where only the first list has it, above 0 where only the second has.
func next(older, newer []string) (name string, order int) {
	switch {
	case len(older) == 0:
		return newer[0], 1
	case len(newer) == 0:
		return older[0], -1
	}
	order = cmp.Compare(older[0], newer[0])
	return min(older[0], newer[0]), order
}

func appendWanted(names []string, name string, wanted func(string) bool) []string {
	if wanted(name) {
		names = append(names, name)
	}
	return names
}

// Equal tells whether a name that both have has one value.
func Equal(from, to Secrets, name string) (same bool, err error) {
	err = from.Use(name, func(old []byte) error {
		return to.Use(name, func(value []byte) error {
			same = bytes.Equal(old, value)
			return nil
		})
	})
	return same, err
}
