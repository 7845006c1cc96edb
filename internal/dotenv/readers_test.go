package dotenv

import (
	"bytes"
	"io"
	"os"
	"testing"

	composedotenv "github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/joho/godotenv"
	"github.com/sirupsen/logrus"
)

// testLog is where compose-go logs to in tests.
var testLog io.Writer = io.Discard

// TestMain keeps compose-go, which logs unset variables when a whole file is
// read with it for comparison, from writing to the test's output.
func TestMain(m *testing.M) {
	logrus.SetOutput(testLog)
	os.Exit(m.Run())
}

// seeds are whole files. Each holds something that readers or a pruner have
// reason to stumble over.
var seeds = []string{
	"",
	"\n\n# only a comment\n",
	"A=1\nB=2\n",
	"A=1\nB=2",
	"\xEF\xBB\xBFA=1\r\nB=2\r\n",
	"A=1\rB=2\rC=3",
	"export A=1\nexport\tB='2' # why\nexport C\n",
	"A: yaml\nB : \"x\"\n",
	"A='one\ntwo'\nB=\"three\r\nfour\"\nC=5\n",
	"A='x' B='y'\nC=1\n",
	"A='x'B=2\n",
	"A='x' # c\nB=\"y\"#d\nC=z #e\nD=a\t#b\nE=a #b #c\nF=#g\nG= # h\n",
	"A=\"foo\\\\\"\nDATABASE_URL=real\nB=\"x\"\n",
	"A=\"foo\\\\\"\nDATABASE_URL=real\nB=\"X=\" #\"\nC=1\n",
	"A=\"never closed\nB=2\nC='3'\n",
	"A='never closed\nB=2\n",
	"P=pa$$WORD\nQ=pa$1word\nR='pa$$WORD'\nS=$2a$10$N9q\nT=${x:-def}\nU=p@$sw0rd\n",
	"A=1\nB=$A\nC=\"${A}-$B\"\nD=${A:-x}${Z:-y}\nA=2\nE=$A\n",
	"A=it's\nB=$A\nC=\"x${A}\"\nD=$(A)\nE=$({A}\n",
	"A=\"C:\\dir\\\"\nB=1\nC=\"x\"\nD=2\n",
	"A=\"say \\\"hi\\\"\"\nB='it\\'s'\nC=\"\\n\\r\\t\\\\n\\$A $\\A\"\n",
	"A=\"\\0101 \\0044A \\0044{A}\"\n",
	"V",
	"A=1\nV",
	"=x\n:y\n\"z\n",
	"A B=1\nmy-name=2\n\u00e9=3\n\u00fa=4\na.b=5\n1A=6\nA[0]=7\n",
	"A=\u00a0x\u0085\nB=\u2003y\u2003\n\u2003C=z\n",
	"A=\xff\xfe\nB='\xff'\nC=\"\xff\"\n",
	"KEY=-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg+/==\nabc==\n-----END PRIVATE KEY-----\nB=2\n",
	"A=''\nB=\"\"\nC=\nD= \nE=\"\"\"\"\nF=''''\n",
	"export \nA=1\nexport\nB=2\n",
	"A=$A\nA=x$A\nA=y$A\n",
	"A=\x00\nB='\x01'$A\nC=\x01$A\n",
	"A=",
	"A=0\nA",
	"0=0\r0",
	"0=''0\n",
	"export\vp=",
	"A=1\nB=$A\x01\x01\\\x01\x02$A\x02\x01\n",
	"A='\nA='\u0797\n",
	"A=`x\nB=2\n# `c`\nC=`y`\nD=`\n",
	"A=1\nB='${A}'\nC=\"\\${A}\"\nD=\"\\\\${A}\"\nE=\\$A\n",
}

// wholeGodotenv reads a whole file with godotenv, a byte order mark left out. Both
// libraries take a word at the very end of a file for the value of an empty
// name; that is no assignment and left out here.
func wholeGodotenv(src []byte) (map[string]string, bool) {
	vars, err := godotenv.UnmarshalBytes(bytes.TrimPrefix(src, utf8BOM))
	delete(vars, "")
	return vars, err == nil
}

func wholeCompose(src []byte) (map[string]string, bool) {
	vars, err := composedotenv.Parse(bytes.NewReader(src))
	delete(vars, "")
	return vars, err == nil
}

func mustParse(t testing.TB, src []byte, d Dialect) *File {
	t.Helper()
	f, err := Parse(src, d)
	if err != nil {
		t.Fatalf("Parse(%q, %v): %v", src, d, err)
	}
	return f
}

// effective returns the entry that decides the value of name, or nil.
func effective(f *File, name string) *Entry {
	for e := range f.Effective() {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// isWide tells whether Parse refuses src for its encoding.
func isWide(src []byte) bool { return findUTF16(src) >= 0 }

// values returns the effective values of f, and the names of the effective
// entries with an error.
func values(f *File) (vars map[string]string, inError []string) {
	vars = make(map[string]string)
	for e := range f.Effective() {
		if e.Err != nil {
			inError = append(inError, e.Name)
			continue
		}
		vars[e.Name] = string(e.Value)
	}
	return vars, inError
}

// checkLayout fails unless the groups of f are whole lines in order, without
// overlap, and hold all that is neither blank nor a comment.
func checkLayout(t *testing.T, f *File, src []byte) {
	t.Helper()
	end, line := 0, 1
	start := len(src) - len(bytes.TrimPrefix(src, utf8BOM))
	var gaps []byte
	for i, e := range f.Entries {
		if i > 0 && e.Start == f.Entries[i-1].Start {
			if e.End != f.Entries[i-1].End {
				t.Fatalf("%q: entries %d and %d share a start but no end", src, i-1, i)
			}
		} else {
			if e.Start < end || e.End <= e.Start || e.End > len(src) {
				t.Fatalf("%q: entry %d: [%d,%d) after offset %d", src, i, e.Start, e.End, end)
			}
			gaps = append(gaps, src[max(end, start):e.Start]...)
			end = e.End
		}
		if e.Start > start && src[e.Start-1] != '\n' || e.End < len(src) && src[e.End-1] != '\n' {
			t.Fatalf("%q: entry %d: [%d,%d) is not whole lines", src, i, e.Start, e.End)
		}
		if first := 1 + bytes.Count(src[:e.Start], []byte{'\n'}); e.Line < line || e.Line < first || e.EndLine < e.Line ||
			e.EndLine > first+bytes.Count(src[e.Start:e.End], []byte{'\n'}) {
			t.Fatalf("%q: entry %d: lines %d to %d", src, i, e.Line, e.EndLine)
		}
		line = e.Line
		if (e.Value == nil) != (e.Err != nil) || e.Name == "" && e.Err == nil {
			t.Fatalf("%q: entry %d: value %q, error %v", src, i, e.Value, e.Err)
		}
	}
	gaps = append(gaps, src[max(end, start):]...)
	if at, _ := skipToStatement(gaps, 0, true); at != len(gaps) {
		t.Fatalf("%q: no entry holds %q", src, gaps[at:])
	}
}
