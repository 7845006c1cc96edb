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
