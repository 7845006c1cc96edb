package main

import (
	"slices"
	"strings"
	"testing"
)

func TestSimilarCommands(t *testing.T) {
	root := newRootCommand(newApp(nil, nil), nil)
	for word, want := range map[string][]string{
		"ls": {"list"}, "show": {"get"}, "set": {"add"}, "delete": {"rm"}, "run": {"exec"}, "rotate": {"rotate-key"}, "import": {"apply"}, "undo": {"rollback"},
		"lsit": {"list"}, "lits": {"list"}, "decrpyt": {"decrypt"}, "encryt": {"encrypt"}, "rendr": {"render"}, "migrate-emv": {"migrate-env"},
		"rn": nil, "destory": {"history"}, "rolback": nil, "rmm": nil, "rem": nil, "rotate-kye": nil, "nonsense": nil, "x": nil,
	} {
		if got := similarCommands(root, word); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestSimilarName(t *testing.T) {
	names := []string{"DATABASE_URL", "SMTP_PASSWORD", "acme/TOKEN"}
	for word, want := range map[string]string{
		"DATABSE_URL": "DATABASE_URL", "database_url": "DATABASE_URL", "SMTP_PASSWROD": "SMTP_PASSWORD", "acme/TOKN": "acme/TOKEN",
		"SMTP_PASS": "SMTP_PASSWORD", "OTHER": "", "A": "",
	} {
		if got := similarName(names, word); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"list", "list", 0}, {"lsit", "list", 1}, {"lst", "list", 1}, {"lisst", "list", 1}, {"post", "list", 2}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestHelpFits: no line of any help is wider than a terminal.
func TestHelpFits(t *testing.T) {
	a := newApp(nil, nil)
	root := newRootCommand(a, nil)
	root.InitDefaultHelpCmd()
	for _, cmd := range append(root.Commands(), root) {
		cmd.InitDefaultHelpFlag()
		for i, line := range strings.Split(writeHelp(cmd), "\n") {
			if n := len([]rune(line)); n > helpColumns {
				t.Errorf("%s, line %d has %d characters: %s", cmd.Name(), i+1, n, line)
			}
		}
	}
}
