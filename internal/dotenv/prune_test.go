package dotenv

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func isOneOf(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func TestPrune(t *testing.T) {
	tests := []struct {
		src, remove, want string // an error is "!reason"
	}{
		{"A=1\nB=2\nC=3\n", "B", "A=1\nC=3\n"},
		{"A=1\nB=2\nC=3\n", "A C", "B=2\n"},
		{"A=1\nB=2\nC=3\n", "", "A=1\nB=2\nC=3\n"},
		{"A=1\nB=2\nC=3\n", "A B C", ""},
		{"A=1\nB=2\nA=3\nB=4\n", "A", "B=2\nB=4\n"},
		{"# c\n\n  export A = 1 # mine\n\n# d\nB=2\n", "A", "# c\n\n\n# d\nB=2\n"},
		{"A=1\nB='x\ny\n' # c\nC=3\n", "B", "A=1\nC=3\n"},
		{"A=1\nB=2", "B", "A=1\n"},
		{"A=1\nB=2", "A", "B=2"},
		{"A=1", "A", ""},
		{"\ufeffA=1\r\nB=2\r\n", "A", "\ufeffB=2\r\n"},
		{"A=1\r\n\tB=\"x\r\ny\"\r\nC=3\r\n", "B", "A=1\r\nC=3\r\n"},
		{"A='x' B='y'\nC=1\n", "A B", "C=1\n"},
		{"A='x' B='y'\nC=1\n", "A", "!another statement stands on the same line"},
		{"A='x'\nA='y' B='z'\n", "A", "!another statement stands on the same line"},
		{"A=1\rB=2\n", "A", "!readers do not agree where it ends"},
		{"A=\"x\nB=2\nC=3\n", "B", "!readers do not agree where it ends"},
		{"A=\"foo\\\\\"\nB=\"x\"\n", "A B", "!readers do not agree where it ends"},
		{"A=`x\nB=2\nC=`\nD=3\n", "B", "!readers do not agree where it ends"},
		{"A='w' A=`x\nB=`\n", "A", "!readers do not agree where it ends"},
		{"A=`x\nmy-name=`\n", "my-name", "!readers do not agree where it ends"},
		// In doubt is only the value, or the line is nothing else's.
		{"A=pa$$word\nA='x'\nB=1\n", "A", "B=1\n"},
		{"A\nA='x'\nB=1\n", "A", "B=1\n"},
		{"my-name=x\nB=1\n", "my-name", "B=1\n"},
		{"B=1\nA=\"x\n", "A", "B=1\n"},
		// A line without a name is never removed.
		{"=x\nwords\nA=1\n", "A", "=x\nwords\n"},
	}
	for _, test := range tests {
		f := mustParse(t, []byte(test.src), Strict)
		out, err := f.Prune(nil, isOneOf(strings.Fields(test.remove)...))
		reason, wantErr := strings.CutPrefix(test.want, "!")
		var prune *PruneError
		switch {
		case !wantErr && (err != nil || string(out) != test.want):
			t.Errorf("%q less %q: %q, %v; want %q", test.src, test.remove, out, err, test.want)
		case wantErr && (!errors.As(err, &prune) || prune.Reason != reason || len(out) > 0):
			t.Errorf("%q less %q: %q, %v; want %q", test.src, test.remove, out, err, reason)
		}
	}
}

func TestPruneAsksForEachName(t *testing.T) {
	f := mustParse(t, []byte("=x\nA=1\n\"\nB=2\n"), Strict)
	out, err := f.Prune(nil, func(name string) bool {
		if name == "" {
			t.Error("asked about an empty name")
		}
		return true
	})
	if err != nil || string(out) != "=x\n\"\n" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestPruneDoesNotAllocate(t *testing.T) {
	src := []byte("A=1\nB=2\nC='x\ny'\nD=4\n")
	f := mustParse(t, src, Strict)
	dst := make([]byte, 0, len(src))
	remove := isOneOf("A", "C")
	if allocs := testing.AllocsPerRun(100, func() { f.Prune(dst, remove) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestReferences(t *testing.T) {
	tests := []struct {
		src  string
		want []Reference // to A, which is removed
	}{
		{"A=1\nB=$A\nC=${A}x\nD=\"-${A}\"\n", []Reference{{2, "B", "A"}, {3, "C", "A"}, {4, "D", "A"}}},
		{"A=1\nB='$A'\nC=$B\nD=$AB\nE=A\n", nil},
		{"B=$A\nA=1\n", nil},
		{"A=1\nA=$A\n", nil},
		{"A=1\nB=${X:-$A}\nC=${A:-x}\nD=$Ax\n", []Reference{{2, "B", "A"}, {3, "C", "A"}, {4, "D", "A"}}},
		{"A=1\nB=\"$\\A\"\n", []Reference{{2, "B", "A"}}},
		{"A=1\nB=\"\\0044A\"\n", []Reference{{2, "B", "A"}}},
		{"A=1\nmy-name=$A\n", []Reference{{2, "my-name", "A"}}},
		{"A=1\nB=\"x\nC=$A\n", []Reference{{2, "B", "A"}, {3, "C", "A"}}},
		{"A=1\nB=$(A)\n", []Reference{{2, "B", "A"}}},
	}
	for _, test := range tests {
		got := mustParse(t, []byte(test.src), Strict).References(isOneOf("A"))
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: %v, want %v", test.src, got, test.want)
		}
	}
}
