package difference

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

func all(string) bool { return true }

func TestOf(t *testing.T) {
	for _, c := range []struct {
		name                    string
		from, to                secrets
		wanted                  func(string) bool
		added, removed, changed []string
		same                    int
	}{
		{"nothing", nil, nil, all, nil, nil, nil, 0},
		{"everything added", nil, secrets{"A": "", "B": "1"}, all, []string{"A", "B"}, nil, nil, 0},
		{"everything removed", secrets{"A": "", "B": "1"}, nil, all, nil, []string{"A", "B"}, nil, 0},
		{"the same", secrets{"A": "", "B": "1"}, secrets{"A": "", "B": "1"}, all, nil, nil, nil, 2},
		{"each", secrets{"A": "1", "B": "1", "D": "1", "Z": ""}, secrets{"A": "1", "C": "1", "D": "2", "Z": "1"}, all,
			[]string{"C"}, []string{"B"}, []string{"D", "Z"}, 1},
		{"ends", secrets{"B": "1", "Y": ""}, secrets{"A": "1", "Z": "2"}, all, []string{"A", "Z"}, []string{"B", "Y"}, nil, 0},
		{"unwanted", secrets{"A": "1", "B": "1", "C": "1"}, secrets{"A": "2", "B": "1", "D": "1"}, func(n string) bool { return n == "E" }, nil, nil, nil, 0},
	} {
		d, err := Of(c.from, c.to, c.wanted)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(d.Added, c.added) || !slices.Equal(d.Removed, c.removed) || !slices.Equal(d.Changed, c.changed) || d.Same != c.same {
			t.Errorf("%s: %+v", c.name, d)
		}
		if d.Added == nil || d.Removed == nil || d.Changed == nil {
			t.Errorf("%s: a list is nil", c.name)
		}
		if d.Any() != (len(c.added)+len(c.removed)+len(c.changed) > 0) {
			t.Errorf("%s: Any is %v", c.name, d.Any())
		}
	}
}

type closed struct{ secrets }

func (closed) Use(string, func([]byte) error) error { return errMissing }

func TestOfFails(t *testing.T) {
	a := secrets{"A": "1"}
	for _, pair := range [][2]Secrets{{closed{a}, a}, {a, closed{a}}} {
		if _, err := Of(pair[0], pair[1], all); !errors.Is(err, errMissing) {
			t.Errorf("error %v", err)
		}
	}
}
