package scope

import (
	"errors"
	"maps"
	"slices"
	"testing"
)

type secrets map[string]string

func (s secrets) Names() []string      { return slices.Sorted(maps.Keys(s)) }
func (s secrets) Has(name string) bool { _, ok := s[name]; return ok }

var errMissing = errors.New("missing")

func (s secrets) Use(name string, f func([]byte) error) error {
	value, ok := s[name]
	if !ok {
		return errMissing
	}
	return f([]byte(value))
}

var world = secrets{
	"A": "a", "B": "b", "acme": "name", "acme/A": "acme a", "acme/sub/A": "sub", "acmeA": "alike", "ACME/A": "case", "acme-/A": "dash",
	"other/A": "other", "other/C": "other c", "acme.x/A": "dot",
}

func TestView(t *testing.T) {
	for _, test := range []struct {
		scope Scope
		want  map[string]string
	}{
		{Scope{Path: "acme"}, map[string]string{"A": "acme a", "sub/A": "sub"}},
		{Scope{Path: "acme", Inherit: true}, map[string]string{"A": "acme a", "B": "b", "acme": "name", "acmeA": "alike", "sub/A": "sub"}},
		{Scope{Path: "acme/sub"}, map[string]string{"A": "sub"}},
		{Scope{Path: "acm"}, map[string]string{}},
		{Scope{Path: "none", Inherit: true}, map[string]string{"A": "a", "B": "b", "acme": "name", "acmeA": "alike"}},
		{Scope{}, world},
	} {
		v := test.scope.Of(world)
		if got, want := v.Names(), slices.Sorted(maps.Keys(test.want)); !slices.Equal(got, want) {
			t.Errorf("%+v: names %q, want %q", test.scope, got, want)
		}
		for _, name := range append(world.Names(), "C", "sub/A", "other/C", "../A", "") {
			value, err := "", error(nil)
			err = v.Use(name, func(b []byte) error { value = string(b); return nil })
			want, ok := test.want[name]
			if (err == nil) != ok || value != want {
				t.Errorf("%+v: %q gives %q, %v; want %q", test.scope, name, value, err, want)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	for _, path := range []string{"", ".", "..", ".history", "/acme", "acme/", "acme//x", "acme/./x", "acme/../other", "acme/.."} {
		if err := Validate(path); !errors.Is(err, ErrBad) {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, path := range []string{"acme", "acme/sub", "a.b", "acme/.x"} {
		if err := Validate(path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestValidateRefusesWhatNoNameHas(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"ac me", "a*", "-x", "\u0430cme", "acme\x00", "a//b", "a/../b", "a/", ""} { // the fourth begins with a Cyrillic letter
		if err := Validate(path); !errors.Is(err, ErrBad) {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, path := range []string{"acme", "acme/sub", "a-b_c.d/E9"} {
		if err := Validate(path); err != nil {
			t.Error(err)
		}
	}
}
