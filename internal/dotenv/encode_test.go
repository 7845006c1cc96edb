package dotenv

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	composedotenv "github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/joho/godotenv"
)

func TestAppendLine(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"A", "", "A=''\n"},
		{"A", "simple", "A=simple\n"},
		{"A", "pa$$w0rd # x", "A='pa$$w0rd # x'\n"},
		{"A", `C:\dir`, `A='C:\dir'` + "\n"},
		{"A", "-----BEGIN\nx\n-----END\n", "A='-----BEGIN\nx\n-----END\n'\n"},
		{"A", "it's", `A="it's"` + "\n"},
		{"A", `it's $5 "\n" \x`, `A="it's \$5 \"\\n\" \\x"` + "\n"},
		{"A", "a\r\nb", `A="a\r\nb"` + "\n"},
		{"A", "'\n'", `A="'\n'"` + "\n"},
		{"A", `C:\dir\`, `A=C:\dir\` + "\n"},
		{"A", `it's "so"`, `A=it's "so"` + "\n"},
		{"A", `pa$ $% $( \`, `A=pa$ $% $( \` + "\n"},
		{"a.b_C9", "x", "a.b_C9=x\n"},
		{"export", "x", "export=x\n"},
		{"A", "it's\xff", "A=\"it's\xff\"\n"},
		{"A", `'"`, ""},            // bare it would begin with a quote
		{"A", `pa$word\`, ""},      // bare the $ would expand
		{"A", `$1\`, ""},           // the same for godotenv
		{"A", `x # y\`, ""},        // a comment
		{"A", ` \`, ""},            // a blank at an end
		{"A", "\n\\", ""},          // a line end
		{"A", "\u2003it's \"", ""}, // only compose-go keeps this blank
		{"A", "\xff\\", ""},        // godotenv would replace the byte
		{"A", `$($({A'"`, ""},
		{"A", "$\u017f\\", ""}, // compose-go takes a long s for an s
		{"A", strings.Repeat("'${x}$", 1000), `A="` + strings.Repeat(`'\${x}\$`, 1000) + "\"\n"},
		{"A", strings.Repeat(`'\0`, 1000), `A="` + strings.Repeat(`'\\0`, 1000) + "\"\n"},
		{"", "x", ""},
		{"a/b", "x", ""},
		{"a-b", "x", ""},
		{"1A", "x", ""},
		{"é", "x", ""},
		{"A B", "x", ""},
		{"A\n", "x", ""},
	}
	for _, test := range tests {
		got, ok := AppendLine([]byte("before"), test.name, []byte(test.value))
		if !bytes.HasPrefix(got, []byte("before")) || string(got[len("before"):]) != test.want || ok != (test.want != "") {
			t.Errorf("AppendLine(%q, %q) = %q, %v, want %q", test.name, test.value, got, ok, test.want)
		}
		checkLine(t, test.name, []byte(test.value))
	}
}

func TestAppendLineDoesNotAllocate(t *testing.T) {
	values := [][]byte{[]byte("plain"), []byte(`it's "quoted" $ \x`), []byte(`ends in \`), []byte(`' in the middle and " $a\`)}
	dst := make([]byte, 0, 100)
	allocs := testing.AllocsPerRun(100, func() {
		for _, value := range values {
			EncodedLen("NAME", value)
			AppendLine(dst, "NAME", value)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzEncode(f *testing.F) {
	for _, value := range []string{"", "x", "it's", `"`, `\`, `'\`, "a\r\nb'", "$A'", `$$\'"`, "é\xff'", "\ufeff'", "`$(x)`'", " # '", "\x00'"} {
		f.Add("NAME", []byte(value))
	}
	f.Add("a/b", []byte("x"))
	f.Fuzz(checkLine)
}

// checkLine fails unless the line for value has the length promised and is read
// back by both readers, alone and among other lines, and by Parse.
func checkLine(t *testing.T, name string, value []byte) {
	line, ok := AppendLine(nil, name, value)
	if n, lenOK := EncodedLen(name, value); lenOK != ok || n != len(line) {
		t.Fatalf("%q=%q: EncodedLen %d, %v; line %q, %v", name, value, n, lenOK, line, ok)
	}
	if !ok {
		return
	}
	before, after := "BEFORE='it is'\nw='w'\nA=1\n# c\n", "\nAFTER=\"x\"\n"
	for _, file := range []string{string(line), before + string(line) + after, "\ufeff" + string(line) + string(line)} {
		if got, err := godotenv.Unmarshal(strings.TrimPrefix(file, "\ufeff")); err != nil || got[name] != string(value) {
			t.Fatalf("%q: godotenv reads %q, want %q (%v)", file, got[name], value, err)
		}
		lookup := func(ref string) (string, bool) {
			t.Errorf("%q: compose-go looks up %q", file, ref)
			return "wrong", true
		}
		if got, err := composedotenv.ParseWithLookup(strings.NewReader(file), lookup); err != nil || got[name] != string(value) {
			t.Fatalf("%q: compose-go reads %q, want %q (%v)", file, got[name], value, err)
		}
		e := effective(mustParse(t, []byte(file), Strict), name)
		if raw := line[len(name)+len("="):]; nodeConstruct(raw, value) != "" {
			continue // Parse refuses a value that no quotes make clear to all readers
		}
		if e == nil || e.Err != nil || !bytes.Equal(e.Value, value) {
			t.Fatalf("%q: Parse gives %+v, want %q", file, e, value)
		}
	}
}

// readBack returns the value that both readers give to "N=" followed by text, and
// false where they do not agree on one value of one name, or look anything up.
func readBack(text string) (string, bool) {
	g, err := godotenv.Unmarshal("N=" + text)
	if err != nil {
		return "", false
	}
	lookedUp := false
	c, err := composedotenv.UnmarshalWithLookup("N="+text, func(string) (string, bool) {
		lookedUp = true
		return "", true
	})
	if err != nil || lookedUp || len(g) != 1 || len(c) != 1 || g["N"] != c["N"] {
		return "", false
	}
	value, ok := g["N"]
	return value, ok
}

// TestAppendLineMissesNone tries every text up to some length as what stands
// behind NAME=: a value that both readers take from one of them must be a
// value that AppendLine can write.
func TestAppendLineMissesNone(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, for which -short is, sees nothing here that it does not see elsewhere")
	}
	tests := []struct {
		alphabet []string
		length   int
	}{
		{strings.Split("' \" \\ $ # { } = : ` a \u00e9 \ufeff", " "), 3},
		{[]string{"'", `"`, `\`, "$", "#", " ", "\t", "\n", "\r", "a", "{", "é", "("}, 3},
		{[]string{"'", `"`, `\`, "$", "#", " ", "\n", "\r", "a"}, 4},
		{[]string{"'", `"`, `\`, "$", "a", "\n"}, 5},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d of %d", test.length, len(test.alphabet)), func(t *testing.T) {
			total, unwritable := 0, 0
			forEachText(test.alphabet, test.length, func(text string) {
				checkLine(t, "N", []byte(text))
				total++
				if _, ok := EncodedLen("N", []byte(text)); !ok {
					unwritable++
				}
				value, ok := readBack(text)
				if !ok {
					return
				}
				if _, ok := EncodedLen("N", []byte(value)); !ok {
					t.Fatalf("%q has the line N=%q", value, text)
				}
			})
			t.Logf("no line for %d of %d values", unwritable, total)
		})
	}
}

// forEachText calls f with every text of up to n elements of alphabet.
func forEachText(alphabet []string, n int, f func(string)) {
	var extend func(prefix string, n int)
	extend = func(prefix string, n int) {
		f(prefix)
		if n == 0 {
			return
		}
		for _, element := range alphabet {
			extend(prefix+element, n-1)
		}
	}
	extend("", n)
}
