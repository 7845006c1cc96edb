package merging

import (
	"errors"
	"maps"
	"slices"
	"testing"
)

type secrets map[string]string

var errMissing = errors.New("missing")

func (s secrets) Names() []string { return slices.Sorted(maps.Keys(s)) }

func (s secrets) Use(name string, f func([]byte) error) error {
	value, ok := s[name]
	if !ok {
		return errMissing
	}
	return f([]byte(value))
}

// TestEveryCase goes through all that can have become of one name: none, or one of three values, on each side.
func TestEveryCase(t *testing.T) {
	states := []string{"", "1", "2", "3"} // "" is none
	of := func(state string) secrets {
		if state == "" {
			return secrets{"OTHER": "x"}
		}
		return secrets{"A": state, "OTHER": "x"}
	}
	for _, base := range states {
		for _, ours := range states {
			for _, theirs := range states {
				got, err := ByName(of(base), of(ours), of(theirs))
				if err != nil {
					t.Fatal(err)
				}
				want := Result{}
				switch {
				case theirs == base, theirs == ours:
				case ours != base:
					want.Conflicts = []string{"A"}
				case theirs == "":
					want.Remove = []string{"A"}
				default:
					want.Take = []string{"A"}
				}
				if !slices.Equal(got.Take, want.Take) || !slices.Equal(got.Remove, want.Remove) || !slices.Equal(got.Conflicts, want.Conflicts) {
					t.Errorf("base %q, ours %q, theirs %q: %+v", base, ours, theirs, got)
				}
			}
		}
	}
}

func TestManyNames(t *testing.T) {
	base := secrets{"A": "", "B": "1", "C": "1", "D": "1", "E": "1"}
	ours := secrets{"A": "", "B": "2", "C": "1", "D": "1", "F": "ours", "Z": "ours"}
	theirs := secrets{"A": "new", "B": "3", "C": "1", "E": "2", "F": "theirs", "Y": ""}
	got, err := ByName(base, ours, theirs)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Take, []string{"A", "Y"}) || !slices.Equal(got.Remove, []string{"D"}) || !slices.Equal(got.Conflicts, []string{"B", "E", "F"}) {
		t.Errorf("%+v", got)
	}
}

type closed struct{ secrets }

func (closed) Use(string, func([]byte) error) error { return errMissing }

func TestFailures(t *testing.T) {
	a, b, c := secrets{"A": "1"}, secrets{"A": "2"}, secrets{"A": "3"}
	for _, sides := range [][3]Secrets{{closed{a}, b, c}, {a, closed{b}, c}, {a, b, closed{c}}} {
		if _, err := ByName(sides[0], sides[1], sides[2]); !errors.Is(err, errMissing) {
			t.Errorf("error %v", err)
		}
	}
}
