package dotenv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/sirupsen/logrus"
)

func TestParseDialect(t *testing.T) {
	for _, d := range []Dialect{Godotenv, Compose, Literal} {
		if got, err := ParseDialect(d.String()); got != d || err != nil {
			t.Errorf("ParseDialect(%q) = %v, %v", d, got, err)
		}
	}
	for _, s := range []string{"", "strict", "Compose", "python"} {
		_, err := ParseDialect(s)
		if err == nil || !strings.Contains(err.Error(), "godotenv, compose or literal") {
			t.Errorf("ParseDialect(%q): error %v", s, err)
		}
	}
	if _, err := Parse(nil, Dialect(7)); err == nil {
		t.Error("Parse takes an unknown dialect")
	}
}

// TestValues holds the value of A in each dialect. A "!" stands for an error.
func TestValues(t *testing.T) {
	tests := []struct{ src, strict, godotenv, compose, literal string }{
		// What all agree on.
		{"A=x", "x", "x", "x", "x"},
		{"A=", "", "", "", ""},
		{"A=  x y  \r\n", "x y", "x y", "x y", "x y"},
		{"\ufeffA=x\r\nB=1\r\n", "x", "x", "x", "x"},
		{"  export  A  =  x", "x", "x", "x", "x"},
		{"A: x", "x", "x", "x", "x"},
		{"A=b=c:d", "b=c:d", "b=c:d", "b=c:d", "b=c:d"},
		{"A='x' # c", "x", "x", "x", "x"},
		{"A=abc#def", "!", "abc#def", "abc#def", "abc#def"},
		{"A=abc #def", "abc", "abc", "abc", "abc"},
		{"A=#abc", "!", "#abc", "#abc", "#abc"},
		{"A='one\n# two\nB=3'\n", "one\n# two\nB=3", "one\n# two\nB=3", "one\n# two\nB=3", "one\n# two\nB=3"},
		{"A=\"one\ntwo\" # c", "one\ntwo", "one\ntwo", "one\ntwo", "one\ntwo"},
		{"A='$x \\n \"'", `$x \n "`, `$x \n "`, `$x \n "`, `$x \n "`},
		{"A=1\nA=2", "2", "2", "2", "2"},
		{"A=''", "", "", "", ""},
		{"A=`x`", "!", "`x`", "`x`", "`x`"},
		{"A=\xc3\xa9", "é", "é", "é", "é"},
		// Escapes both readers know, which Literal leaves alone.
		{`A="a\nb"`, "a\nb", "a\nb", "a\nb", `a\nb`},
		{`A="a\\b\"c\$d"`, `a\b"c$d`, `a\b"c$d`, `a\b"c$d`, `a\\b\"c\$d`},
		// References.
		{"B=1\nA=$B/${B}", "1/1", "1/1", "1/1", "$B/${B}"},
		{"B=it's\nA=\"<${B}>\"", "<it's>", "<it's>", "<it's>", "<${B}>"},
		{"B='$C'\nC=1\nA=$B", "$C", "$C", "$C", "$B"},
		{"A=1\nA=x$A", "x1", "x1", "x1", "x$A"},
		{"B=\nA=x$B", "x", "x", "x", "x$B"},
		{"A=$B", "!", "", "", "$B"},
		{"B=$NO/x\nA=$B", "!", "/x", "/x", "$B"}, // doubt is handed on
		{"b=1\nA=$b", "!", "$b", "1", "$b"},
		{"B=1\nA=$(B)", "!", "1)", "$(B)", "$(B)"},
		{"A=${B:-def}", "!", ":-def}", "def", "${B:-def}"},
		{"A=${B-def}", "!", "-def}", "!", "${B-def}"}, // depends on the environment
		{"A=${B:?no}", "!", ":?no}", "!", "${B:?no}"},
		{"A=${", "!", "${", "!", "${"},
		// What godotenv or compose-go changes in silence.
		{"A=pa$$WORD", "!", "pa$", "pa$WORD", "pa$$WORD"},
		{"A=pa$1word", "!", "paword", "pa$1word", "pa$1word"},
		{"A=p@$sw0rd", "!", "p@$sw0rd", "p@", "p@$sw0rd"},
		{`A=\$x`, "!", "$x", `\`, `\$x`},
		{`A="C:\dir"`, "!", "C:dir", `C:\dir`, `C:\dir`},
		{`A="say \"hi\""`, "!", `say "hi\`, `say "hi"`, `say \"hi\"`},
		{`A='it\'s'`, "!", `it\'s`, `it's`, `it\'s`},
		{"A=a\t#b", "!", "a", "a\t#b", "a"},
		{"A=a #b #c", "!", "a #b", "a", "a"},
		{"A= # c", "!", "# c", "# c", ""},
		{"A='a\r\nb'", "!", "a\nb", "a\r\nb", "a\r\nb"},
		{"A=a\u2003", "!", "a\u2003", "a", "a\u2003"},
		{"A=\xff", "!", "\ufffd", "\xff", "\xff"},
		// Where only Literal refuses, or has its own idea.
		{`A="a"b"`, "!", "!", "!", `a"b`},
		{`A="a" # "b"`, "a", "a", "a", "a"},
		{`A="a"#b`, "a", "a", "a", "!"},
		{`A="say ""hi"""`, "!", "!", "!", `say ""hi""`},
		{"A=\"{\n\"k\": 1\n}\"\n", "!", "!", "!", "!"},
		{`A="x`, "!", "!", "!", "!"},
		{`A="`, "!", "!", "!", "!"},
	}
	for _, test := range tests {
		want := map[Dialect]string{Strict: test.strict, Godotenv: test.godotenv, Compose: test.compose, Literal: test.literal}
		for d := Strict; d <= Literal; d++ {
			e := effective(mustParse(t, []byte(test.src), d), "A")
			switch {
			case e == nil:
				t.Errorf("%q, %v: no entry", test.src, d)
			case e.Err != nil && want[d] != "!":
				t.Errorf("%q, %v: %v, want %q", test.src, d, e.Err, want[d])
			case e.Err == nil && string(e.Value) != want[d]:
				t.Errorf("%q, %v: %q, want %q", test.src, d, e.Value, want[d])
			}
		}
	}
}

// TestEntries holds the entries Strict makes of a file, each as
// "line[-endline] name", with "=value" or "! reason".
func TestEntries(t *testing.T) {
	inside := func(line int, reason string) string {
		return fmt.Sprintf("! text that may belong to line %d (%s)", line, reason)
	}
	tests := []struct {
		src  string
		want []string
	}{
		{"", nil},
		{"\n # c\n\n", nil},
		{"# c\n\nA=1\n  B='x\ny'\n\nC=3", []string{"3 A =1", "4-5 B =x\ny", "7 C =3"}},
		{"A='x' B='y'\nC=1\n", []string{"1 A =x", "1 B =y", "2 C =1"}},
		{"A='x' B\nC=1\n", []string{"1 A ! text behind the end of the value", "2 C =1"}},
		{"A=1\njust words\nB=2\n", []string{"1 A =1", "2  ! no = behind the name", "3 B =2"}},
		{"DATABASE_URL\nB=2\n", []string{"1 DATABASE_URL ! no = behind the name", "2 B =2"}},
		{"export A\nB=2", []string{"1 A ! no = behind the name", "2 B =2"}},
		{"V", []string{"1 V ! no = behind the name"}},
		{"A=1\nv", []string{"1 A =1", "2  ! no = behind the name"}},
		{"=x\nA=1", []string{"1  ! no name before the separator", "2 A =1"}},
		{"my-name=x\nA=1", []string{"1 my-name ! a name with characters that some readers refuse", "2 A =1"}},
		{"my-name='x\nB=2'\nA=1", []string{
			"1 my-name ! a name with characters that some readers refuse",
			"2 B " + inside(1, "a name with characters that some readers refuse"),
			"3 A =1"}},
		{"A B=x\nC=1", []string{"1 A B ! a name with characters that some readers refuse", "2 C =1"}},
		{"$x=1\nA=1", []string{"1  ! no assignment (NAME=value)", "2 A =1"}},
		{"KEY=-----BEGIN PRIVATE KEY-----\nMIIEvQ+/x\nabc\n-----END PRIVATE KEY-----\nA=1", []string{
			"1 KEY =-----BEGIN PRIVATE KEY-----", "2  ! no assignment (NAME=value)",
			"3  ! no = behind the name", "4  ! no assignment (NAME=value)", "5 A =1"}},
		// The names behind a quote that is never closed are found and in error.
		{"Z=0\nA=\"x\nB=2\nexport C=3\n", []string{"1 Z =0", "2 A ! a quote that is never closed",
			"3 B " + inside(2, "a quote that is never closed"),
			"4 C " + inside(2, "a quote that is never closed")}},
		// A quote that is closed by the next one costs the lines between only.
		{"A=\"x\nB=2\nC=\"3\"\nD=4", []string{"1 A ! text behind the end of the value on line 3",
			"2 B " + inside(1, "text behind the end of the value on line 3"),
			"3 C " + inside(1, "text behind the end of the value on line 3"),
			"4 D =4"}},
		// Here both readers take the whole file, and differently.
		{"A=\"foo\\\\\"\nDATABASE_URL=real\nB=\"X=\" #\"\nC=1\n", []string{
			"1 A ! where the value ends",
			"2 DATABASE_URL " + inside(1, "where the value ends"),
			"3 B " + inside(1, "where the value ends"),
			"3 X " + inside(1, "where the value ends"),
			"4 C =1"}},
		// npm's dotenv reads a value in backticks over several lines.
		{"A=`x\nB=2\nC=y`\nD=3\n", []string{"1 A ! " + reasonBackticks, "2 B " + inside(1, reasonBackticks), "3 C " + inside(1, reasonBackticks), "4 D =3"}},
		{"A=`x\nB=2\n", []string{"1 A ! " + reasonBackticks, "2 B =2"}},
		{"A=`x`\nB=2\nC=`y`\n", []string{"1 A ! " + reasonBackticks, "2 B =2", "3 C ! " + reasonBackticks}},
		{"A=1\rB=2\nC=3", []string{"1 A ! where the value ends", "1 B ! where the value ends", "2 C =3"}},
	}
	for _, test := range tests {
		var got []string
		for _, e := range mustParse(t, []byte(test.src), Strict).Entries {
			got = append(got, describe(e))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q:\n got %q\nwant %q", test.src, got, test.want)
		}
	}
}

func describe(e Entry) string {
	lines := fmt.Sprint(e.Line)
	if e.EndLine != e.Line {
		lines = fmt.Sprintf("%d-%d", e.Line, e.EndLine)
	}
	var doubt *DoubtfulError
	var syntax *SyntaxError
	switch {
	case errors.As(e.Err, &doubt):
		return fmt.Sprintf("%s %s ! %s", lines, e.Name, doubt.Reason)
	case errors.As(e.Err, &syntax):
		return fmt.Sprintf("%s %s ! %s", lines, e.Name, syntax.Reason)
	}
	return fmt.Sprintf("%s %s =%s", lines, e.Name, e.Value)
}

func TestDoubtfulReasons(t *testing.T) {
	tests := []struct{ line, reason, advice string }{
		{"A=pa$$word", "a $ that some readers expand", adviceQuote},
		{`A="pa$word"`, "a $ that some readers expand", adviceQuote},
		{"A=pa$$wo'rd", "a $ that some readers expand", adviceByHand},
		{"A=$HOME/x", "a reference to a variable that is not set above it", adviceQuote},
		{`A="C:\dir"`, "a backslash inside double quotes", adviceQuote},
		{`A='it\'s'`, "a backslash before a single quote", adviceByHand},
		{"A='a\r\nb'", "a carriage return inside the value", adviceLineEnds},
		{"A=a\t#b", "a # that some readers take for a comment", adviceQuote},
		{"A=a#b", "a # that some readers take for a comment", adviceQuote},
		{"A=it's#1", "a # that some readers take for a comment", adviceDoubleQuote},
		{"A=#b", "a # that some readers take for a comment", adviceQuote},
		{"A= # b", "a # with only blanks between it and the =, which begins a comment or the value", adviceQuote},
		{"A=`x`", "backticks, which some readers take for quotes", adviceQuote},
		{"A=`it's`", "backticks, which some readers take for quotes", adviceDoubleQuote},
		{"A=`it's \"x\"`", "backticks, which some readers take for quotes", adviceByHand},
		{"A=\xff", "bytes that are not UTF-8", adviceUTF8},
		{"A=x\u2003", "unusual white space around the value", adviceQuote},
		{`A=""""`, "text behind the end of the value", adviceQuote},
		{`A='it''s'`, "text behind the end of the value", adviceDoubleQuote},
		{`A="x`, "a quote that is never closed", adviceClose},
		{"A", reasonBare, adviceAssign},
	}
	for _, test := range tests {
		err := effective(mustParse(t, []byte("# c\n"+test.line), Strict), "A").Err
		var doubt *DoubtfulError
		var syntax *SyntaxError
		switch {
		case errors.As(err, &doubt):
			want := DoubtfulError{Line: 2, Name: "A", Reason: test.reason, advice: test.advice}
			if *doubt != want {
				t.Errorf("%q: %+v, want %+v", test.line, *doubt, want)
			}
			text := "line 2, A: dotenv readers disagree about " + test.reason + "; " + test.advice
			if err.Error() != text {
				t.Errorf("%q: text %q, want %q", test.line, err, text)
			}
		case !errors.As(err, &syntax) || syntax.Reason != test.reason || syntax.advice != test.advice:
			t.Errorf("%q: %v, want %q", test.line, err, test.reason)
		}
	}
}

// wide returns text as UTF-16, little-endian or big-endian.
func wide(text string, order binary.AppendByteOrder) string {
	var out []byte
	for _, c := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, c)
	}
	return string(out)
}

func TestUTF16(t *testing.T) {
	const text = "A=1\r\nB=2\r\n"
	little, big := wide(text, binary.LittleEndian), wide(text, binary.BigEndian)
	tests := []struct {
		src  string
		line int // 0 if it is no UTF-16
	}{
		{"\xff\xfe" + little, 1},
		{"\xfe\xff" + big, 1},
		{little, 1},
		{big, 1},
		{"A=1\nB=2\n" + little, 3},
		{"A=1\nB=2\n" + big, 3},
		{"A=1\n\xff\xfe" + little, 2},
		{"A=1" + little, 1},
		{"", 0},
		{"A=1\n", 0},
		{"A=\x00\nB=a\x00b\n", 0},
		{"A=\x00\x00\x00\x00\x00\x00\x00\n", 0},
	}
	for _, test := range tests {
		for d := Strict; d <= Literal; d++ {
			_, err := Parse([]byte(test.src), d)
			var wide *UTF16Error
			line := 0
			if errors.As(err, &wide) {
				line = wide.Line
			}
			if line != test.line || (err != nil) != (line != 0) {
				t.Errorf("%q: %v, want line %d", test.src, err, test.line)
			}
		}
	}
}

// TestStray holds what markStray makes of files: for each entry "line" and "!" for stray text, "(owner)", "cut" or "bare".
func TestStray(t *testing.T) {
	tests := []struct {
		src  string
		want string
	}{
		{"A=1\nB=2\n", "1 2"},
		{"KEY=-----BEGIN PRIVATE KEY-----\nMIIEvQ+/x\nabc/def+ghi==\n-----END PRIVATE KEY-----\ndb_password=geheim\napi_token=xyz\nB=2\n",
			"1cut 2!KEY 3!KEY 4!KEY 5 6 7"},
		// An assignment inside, or behind a key that never ends.
		{"KEY=-----BEGIN X-----\nMIIE\nabc=\ndb_password=x\n-----END X-----\n", "1cut 2!KEY 3!KEY 4cut 5!db_password"},
		{"KEY=-----BEGIN X-----\nMIIE+\nabcd==\ndb_password=x\nB=\n", "1cut 2!KEY 3!KEY 4 5"},
		{"KEY=-----BEGIN X-----\nMIIE+\n\ndb_password=x\n", "1cut 2!KEY 4"},
		// The headers of an encrypted key, with the blank line behind them.
		{"KEY=-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,0A\n\nMIIE\nABCD==\n-----END X-----\nb=1\n",
			"1cut 2!KEY 3!KEY 5! 6! 7! 8"},
		{"-----BEGIN X-----\nabc=\nABCDEFGH\n-----END X-----\nb=1\n", "1! 2! 3bare 4! 5"},
		{"words here\nlower=x\nlower: y\nlower=\n", "1! 2 3 4"},
		{"A=1\nwords here\nabc=\nEMPTY=\nB=2\n", "1cut 2!A 3!A 4 5"},
		{"A=1\n\nwords here\n", "1 3!"},
		{"A=1\nHOME_VAR\nB=2\n", "1 2bare 3"},
		{"export HOME_VAR\nhome_var\n", "1bare 2!"},
		{"A='-----BEGIN X-----\nabc\n-----END X-----'\nb=1\n", "1 4"},
		{"A=-----BEGIN X-----abc-----END X-----\nb=1\n", "1 2"},
	}
	for _, test := range tests {
		var got []string
		for _, e := range mustParse(t, []byte(test.src), Strict).Entries {
			mark := fmt.Sprint(e.Line)
			if e.Stray {
				mark += "!"
			}
			if e.Owner != nil {
				mark += e.Owner.Name
			}
			if e.Cut {
				mark += "cut"
			}
			if e.Bare {
				mark += "bare"
			}
			got = append(got, mark)
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("%q: %s, want %s", test.src, text, test.want)
		}
	}
}

func TestDuplicates(t *testing.T) {
	f := mustParse(t, []byte("B=0\nA=1\nB=2\nA=3\nC=4\nA='x'\nD\nD\nwords\na=\na=\n"), Strict)
	want := []Duplicate{{"B", []int{1, 3}}, {"A", []int{2, 4, 6}}}
	if got := f.Duplicates(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestRawValue(t *testing.T) {
	tests := []struct{ src, want string }{
		{"A=pa$$word\nB=1\n", "pa$$word"},
		{"export A : 'x' # c\n", "x' # c"},
		{"A=\"never closed\nB=1", "never closed\nB=1"},
		{"A", ""},
	}
	for _, test := range tests {
		f := mustParse(t, []byte(test.src), Strict)
		if got := f.RawValue(&f.Entries[0]); string(got) != test.want {
			t.Errorf("%q: %q, want %q", test.src, got, test.want)
		}
	}
}

func TestEffective(t *testing.T) {
	f := mustParse(t, []byte("A=1\nB=2\n=x\nA=3\nC=4\nB=$no\n"), Strict)
	var got []string
	for e := range f.Effective() {
		got = append(got, fmt.Sprintf("%s %d %v", e.Name, e.Line, e.Err == nil))
	}
	if want := []string{"A 4 true", "C 5 true", "B 6 false"}; !slices.Equal(got, want) {
		t.Errorf("Effective: %q, want %q", got, want)
	}
	for range f.Effective() {
		break
	}
	if e := effective(f, "A"); e == nil || string(e.Value) != "3" {
		t.Errorf("Lookup(A) = %+v", e)
	}
	if e := effective(f, ""); e != nil {
		t.Errorf("Lookup of no name = %+v", e)
	}
	if e := effective(f, "D"); e != nil {
		t.Errorf("Lookup of a missing name = %+v", e)
	}
}

func TestWipe(t *testing.T) {
	f := mustParse(t, []byte("A='secret'\nB=1\nC=$B\n"), Strict)
	value := effective(f, "A").Value
	f.Wipe()
	if !bytes.Equal(value, make([]byte, len("secret"))) || effective(f, "A").Value != nil {
		t.Errorf("after Wipe: %q, %q", value, effective(f, "A").Value)
	}
	if out, err := f.Prune(nil, isOneOf("A")); err != nil || string(out) != "B=1\nC=$B\n" {
		t.Errorf("Prune after Wipe: %q, %v", out, err)
	}
}

// TestNoValueInErrors puts a word in every place of values that are in error in some
// way, and fails if an error or the log of compose-go has it.
func TestNoValueInErrors(t *testing.T) {
	const canary = "cAnArY"
	var log bytes.Buffer
	logrus.SetOutput(&log)
	defer logrus.SetOutput(testLog)
	level := logrus.GetLevel()
	logrus.SetLevel(logrus.TraceLevel)
	defer logrus.SetLevel(level)
	files := slices.Clone(seeds)
	for _, s := range []string{
		"A=$%s", "A=pa$%s#", "A=${%s}", "A=${%s", "A=${B:?%s}", "A=${%s?x}", "A=${B:-${%s}}", "A=\"$%s\\q\"", "A='x\n%s",
		"A=\"x\\\"\n%s=1\n%s==\n\"", "A=\"x\" %s\n", "A=\"x\"%s=\"\n", "%s", "%s+\n", "-%s\n", "A=\"\\%s\"", "%s -\n", "A=$%s$%s",
		"A='x\n%s=\n", "A=\"x\n\"%s=3\n", "A=${B?%s}\nB=$A\n", "A=\"\\0044{%s}\"", "A=${X:-$%s}", "A=\xff%s",
	} {
		files = append(files, strings.ReplaceAll(s, "%s", canary))
	}
	for _, src := range files {
		for d := Strict; d <= Literal; d++ {
			f := mustParse(t, []byte(src), d)
			for _, e := range f.Entries {
				if e.Err != nil && strings.Contains(e.Err.Error(), canary) {
					t.Errorf("%q, %v: error %q", src, d, e.Err)
				}
			}
			_, err := f.Prune(nil, func(string) bool { return true })
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("%q, %v: error %q", src, d, err)
			}
		}
	}
	if log.Len() > 0 {
		t.Errorf("compose-go logged %q", log.String())
	}
}

// TestSampleFile reads a file of the kind people keep, in which nothing is doubtful.
func TestSampleFile(t *testing.T) {
	src, err := os.ReadFile("testdata/sample.env")
	if err != nil {
		t.Fatal(err)
	}
	f := mustParse(t, src, Strict)
	want := map[string]string{
		"NODE_ENV": "production", "PORT": "8080", "PUBLIC_URL": "https://example.com/app?a=1&b=2#top",
		"MAZEVAULT_MASTER_KEY": "8f0c5e6b", "DATABASE_URL": "postgres://app:p%40ss@db:5432/app?sslmode=require",
		"SMTP_PASSWORD": "pa$$w0rd #1", "GREETING": "it's \"quoted\"\nand on two lines", "EMPTY": "",
		"BASE": "/opt/app", "LOGS": "/opt/app/logs",
		"LICENSE_PUBLIC_KEY": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----",
	}
	for e := range f.Effective() {
		if value, ok := want[e.Name]; e.Err != nil || !ok || value != string(e.Value) {
			t.Errorf("line %d: %s=%q, %v; want %q", e.Line, e.Name, e.Value, e.Err, value)
		}
		delete(want, e.Name)
	}
	if len(want) > 0 {
		t.Errorf("not found: %q", want)
	}
}
