package dotenv

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(checkParse)
}

// checkParse holds what Parse makes of src in every dialect to its own promises and
// to what the libraries make of the whole file.
func checkParse(t *testing.T, src []byte) {
	if isWide(src) {
		return
	}
	files := make(map[Dialect]*File)
	for d := Strict; d <= Literal; d++ {
		before := bytes.Clone(src)
		files[d] = mustParse(t, src, d)
		if !bytes.Equal(src, before) {
			t.Fatalf("%v changed its input", d)
		}
		checkLayout(t, files[d], src)
	}
	g, gOK := wholeGodotenv(src)
	c, cOK := wholeCompose(src)
	compareWhole(t, src, files[Godotenv], Godotenv, g, gOK)
	compareWhole(t, src, files[Compose], Compose, c, cOK)
	strict, _ := values(files[Strict])
	for name, value := range strict {
		if gOK && g[name] != value || cOK && c[name] != value {
			t.Fatalf("%q: strict gives %s=%q; godotenv %q, compose %q", src, name, value, g[name], c[name])
		}
	}
	if !gOK || !cOK {
		return
	}
	for _, whole := range []map[string]string{g, c} {
		for name := range whole {
			if effective(files[Strict], name) == nil {
				t.Fatalf("%q: strict does not see %q", src, name)
			}
		}
	}
}

// compareWhole holds f to the result of reading the whole file with the library,
// where that succeeded: every name is there, and has that value or an error.
func compareWhole(t *testing.T, src []byte, f *File, d Dialect, whole map[string]string, ok bool) {
	t.Helper()
	if !ok {
		return
	}
	got, inError := values(f)
	for name, value := range got {
		if v, there := whole[name]; !there || v != value {
			t.Fatalf("%q: %q is %q here, %q (%v) in the library", src, name, value, v, there)
		}
	}
	for name := range whole {
		if _, there := got[name]; !there && !slices.Contains(inError, name) {
			t.Fatalf("%q: %q is not found (have %q, in error %q)", src, name, slices.Collect(maps.Keys(got)), inError)
		}
	}
	for _, e := range f.Entries {
		if _, there := whole[e.Name]; e.Err != nil && there && !mayFail(src, e, d) {
			t.Fatalf("%q: %q has error %v, the library reads it as %q", src, e.Name, e.Err, whole[e.Name])
		}
	}
}

// mayFail reports whether e may have an error although the library reads the
// whole file: a word without =, which compose-go takes from the environment and
// both, at the very end of a file, for the value of no name; and what Compose leaves
// undecided because it depends on the environment.
func mayFail(src []byte, e Entry, d Dialect) bool {
	if e.End == len(src) && !bytes.HasSuffix(src, []byte{'\n'}) {
		return true
	}
	if d != Compose {
		return false
	}
	reason := e.Err.(*SyntaxError).Reason
	text := src[e.Start:e.End]
	return strings.Contains(reason, reasonBare) || strings.Contains(reason, reasonBehind) ||
		bytes.Contains(text, []byte("$")) || bytes.Contains(text, []byte(`\0`))
}

// tokens are what random files are made of: the characters and words that readers
// have rules about.
var tokens = []string{
	"A", "B", "C", "A=", "B=", "C=", "a=", "=", ":", "export ", "'", "'", "\"", "\"", "\\", "\\", "$", "$A", "${A}", "${B",
	"}", "`", ":-", "-", "(", "{", "#", " #", "\t#", " ", "\t", "\n", "\n", "\n", "\r\n", "\r", "n", "x", "\u00e9",
	"\u00a0", "\xff", "\x00", "0", "\n# c\n", "\nA='", "\nB=\"", "\nC=",
}

// randomFile returns a file of up to n tokens.
func randomFile(r *rand.Rand, n int) []byte {
	var src []byte
	for range r.IntN(n) {
		src = append(src, tokens[r.IntN(len(tokens))]...)
	}
	return src
}

// TestRandomFiles holds files from tokens, which reach what single bytes hardly do,
// to the promises of FuzzParse and FuzzPrune.
func TestRandomFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 4_000 {
		src := randomFile(r, 30)
		checkParse(t, src)
		checkPrune(t, src, r.Uint32())
	}
}

func FuzzPrune(f *testing.F) {
	for i, s := range seeds {
		f.Add([]byte(s), uint32(i))
		f.Add([]byte(s), uint32(0xFFFFFFFF))
	}
	f.Fuzz(checkPrune)
}

// checkPrune prunes the names that the bits of chosen select and holds the result
// to the promises of Prune, in every dialect.
func checkPrune(t *testing.T, src []byte, chosen uint32) {
	if isWide(src) {
		return
	}
	for d := Strict; d <= Literal; d++ {
		f := mustParse(t, src, d)
		removed := make(map[string]bool)
		for i, e := range f.Entries {
			removed[e.Name] = chosen>>(i%32)&1 == 1
		}
		remove := func(name string) bool { return removed[name] }
		out, err := f.Prune([]byte("dst"), remove)
		if !bytes.HasPrefix(out, []byte("dst")) {
			t.Fatalf("%v %q: Prune overwrote its destination", d, src)
		}
		out = out[len("dst"):]
		if err != nil {
			if _, ok := err.(*PruneError); !ok || len(out) > 0 {
				t.Fatalf("%v %q: Prune: %T %v, output %q", d, src, err, err, out)
			}
			continue
		}
		checkLines(t, f, src, out, remove)
		checkRest(t, f, d, out, remove)
		if len(f.References(remove)) > 0 {
			continue
		}
		if d == Strict || d == Godotenv {
			checkWhole(t, wholeGodotenv, src, out, remove)
		}
		if d == Strict || d == Compose {
			checkWhole(t, wholeCompose, src, out, remove)
		}
	}
}

// checkLines fails unless out is src less the lines of removed statements.
func checkLines(t *testing.T, f *File, src, out []byte, remove func(string) bool) {
	t.Helper()
	gone := make(map[int]bool) // by line number
	for _, e := range f.Entries {
		if e.Name != "" && remove(e.Name) {
			for line := e.Line; line <= e.EndLine; line++ {
				gone[line] = true
			}
		}
	}
	var want []byte
	if bytes.HasPrefix(src, utf8BOM) {
		want, src = append(want, utf8BOM...), src[len(utf8BOM):]
	}
	for i, line := range bytes.SplitAfter(src, []byte{'\n'}) {
		if !gone[i+1] {
			want = append(want, line...)
		}
	}
	if !bytes.Equal(out, want) {
		t.Fatalf("%q: pruned to %q, want %q", src, out, want)
	}
}

// checkRest fails unless out has the entries of f that stay, with their values where
// no reference is in the way.
func checkRest(t *testing.T, f *File, d Dialect, out []byte, remove func(string) bool) {
	t.Helper()
	if isWide(out) {
		return
	}
	rest := mustParse(t, out, d).Entries
	sameValues := len(f.References(remove)) == 0
	i := 0
	for _, e := range f.Entries {
		if e.Name != "" && remove(e.Name) {
			continue
		}
		if i == len(rest) {
			t.Fatalf("%v %q: pruned to %q, which lacks %q", d, f.src, out, e.Name)
		}
		r := rest[i]
		if r.Name != e.Name || sameValues && (!bytes.Equal(r.Value, e.Value) || (r.Err == nil) != (e.Err == nil)) {
			t.Fatalf("%v %q: pruned to %q: %q=%q (%v), before %q=%q (%v)",
				d, f.src, out, r.Name, r.Value, r.Err, e.Name, e.Value, e.Err)
		}
		i++
	}
	if i != len(rest) {
		t.Fatalf("%v %q: pruned to %q, which has %q too", d, f.src, out, rest[i].Name)
	}
}

// checkWhole fails unless read, which reads whole files, reads out as it did src, less
// the removed names, where it did read src.
func checkWhole(t *testing.T, read func([]byte) (map[string]string, bool), src, out []byte, remove func(string) bool) {
	t.Helper()
	before, ok := read(src)
	if !ok {
		return
	}
	after, ok := read(out)
	maps.DeleteFunc(before, func(name, _ string) bool { return remove(name) })
	if !ok || !maps.Equal(before, after) {
		t.Fatalf("%q pruned to %q: read as %q (%v), want %q", src, out, after, ok, before)
	}
}
