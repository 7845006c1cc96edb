package selection

import (
	"errors"
	"slices"
	"testing"
)

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		glob, name string
		want       bool
	}{
		{"*", "A", true},
		{"*", "acme/A", true},
		{"*A", "acme/A", true},
		{"acme/*", "acme/A", true},
		{"acme/*", "acme/team/A", true},
		{"acme/*", "acme", false},
		{"acme/*", "ACME/A", false},
		{"SMTP_*", "acme/SMTP_X", false},
		{"acme?A", "acme/A", true},
		{"[a-z]cme/A", "acme/A", true},
		{`A\*`, "A*", true},
		{`acme\/A`, "acme/A", true},
		{"A", "A", true},
		{"A", "AB", false},
		{"", "A", false},
	} {
		if got := Matches([]string{tt.glob}, tt.name); got != tt.want {
			t.Errorf("%q matches %q: %v", tt.glob, tt.name, got)
		}
	}
	if Matches(nil, "A") {
		t.Error("no glob matches")
	}
}

func TestValidate(t *testing.T) {
	if err := (Selection{Only: []string{"A", "*", "[a-z]"}, Except: []string{"B"}}).Validate(); err != nil {
		t.Error(err)
	}
	for _, s := range []Selection{{Only: []string{"A", "["}}, {Except: []string{`\`}}} {
		if err := s.Validate(); !errors.Is(err, ErrGlob) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestSelection(t *testing.T) {
	names := []string{"A", "B", "SMTP_HOST", "SMTP_PASSWORD", "acme/A"}
	for _, tt := range []struct {
		s    Selection
		want []string
	}{
		{Selection{}, names},
		{Selection{Only: []string{"SMTP_*"}}, []string{"SMTP_HOST", "SMTP_PASSWORD"}},
		{Selection{Only: []string{"A", "acme/*"}}, []string{"A", "acme/A"}},
		{Selection{Except: []string{"*/*"}}, []string{"A", "B", "SMTP_HOST", "SMTP_PASSWORD"}},
		{Selection{Only: []string{"SMTP_*"}, Except: []string{"*PASSWORD"}}, []string{"SMTP_HOST"}},
		{Selection{Only: []string{"none"}}, []string{}},
	} {
		if got := tt.s.Names(names); !slices.Equal(got, tt.want) || got == nil {
			t.Errorf("%q: %q", tt.s, got)
		}
	}
	s := Selection{Only: []string{"A", "X", "Y*"}, Except: []string{"B", "Z", "[QR]"}}
	literals, globs := s.Unmatched(names)
	if !slices.Equal(literals, []Unmatched{{"only", "X"}, {"except", "Z"}}) || !slices.Equal(globs, []Unmatched{{"only", "Y*"}, {"except", "[QR]"}}) {
		t.Errorf("unmatched: %v, %v", literals, globs)
	}
	if !s.Named("A") || s.Named("Y1") || s.Named("B") {
		t.Error("Named")
	}
}
