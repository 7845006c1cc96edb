package dotenv

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLargeFiles reads files that a step of quadratic cost, or a recursion for each
// line, would make hang or crash. The bound is far above what they take.
func TestLargeFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, for which -short is, sees nothing here that it does not see elsewhere")
	}
	const bound = 20 * time.Second
	doubling := "A0=0123456789\n"
	for i := range 60 {
		doubling += fmt.Sprintf("A%d=$A%d$A%d\n", i+1, i, i)
	}
	var lines strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&lines, "NAME_%d=\"value %d\" # comment\n", i, i)
	}
	tests := map[string]string{
		"10,000 lines":              lines.String(),
		"10,000 references":         "A=1\n" + strings.Repeat("A=$A\n", 10_000),
		"200 kB line":               "A=" + strings.Repeat("x", 200_000) + "\n",
		"200 kB in double quotes":   `A="` + strings.Repeat(`x\n`, 70_000) + "\"\n",
		"200 kB of blanks":          "A=" + strings.Repeat(" ", 200_000) + "x\n",
		"200 kB of quotes":          "A=" + strings.Repeat(`"`, 200_000) + "\n",
		"200 kB of spaced quotes":   "A=" + strings.Repeat(`" `, 100_000) + "\n",
		"50 kB of dollars":          "A=" + strings.Repeat("$", 50_000) + "\n",
		"50 kB of names":            "A=" + strings.Repeat("$B", 25_000) + "\n",
		"200 kB of defaults":        "A=" + strings.Repeat("${B:-", 40_000) + strings.Repeat("}", 40_000) + "\n",
		"200 kB of defaults in row": "A=" + strings.Repeat("${B:-}", 33_000) + "\n",
		"octal defaults":            `A="` + strings.Repeat(`\0044{B:-`, 20_000) + strings.Repeat("}", 20_000) + "\"\n",
		"a million comments":        strings.Repeat("#\n", 1_000_000) + "A=1\n",
		"a million lines":           strings.Repeat("\n", 1_000_000) + "A=1\n",
		"never closed":              strings.Repeat("A=\"x\n", 20_001),
		"never closed, differently": strings.Repeat("A='x\\\\'\n", 20_000),
		"garbage":                   strings.Repeat("-- -\n", 20_000),
		"statements in one line":    strings.Repeat("A='x'", 20_000),
		"old line ends":             strings.Repeat("A=x\r", 20_000),
		"doubling":                  doubling,
	}
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			for d := Strict; d <= Literal; d++ {
				start := time.Now()
				f := mustParse(t, []byte(src), d)
				if _, err := f.Prune(nil, isOneOf("A")); err != nil && d == Literal && name == "10,000 lines" {
					t.Error(err)
				}
				f.References(isOneOf("A"))
				if took := time.Since(start); took > bound {
					t.Errorf("%v: %v", d, took)
				} else {
					t.Logf("%v: %v, %d entries", d, took, len(f.Entries))
				}
			}
		})
	}
}

// TestExpansionIsBounded holds that values built from values stay within a budget and
// that what exceeds it is an error and not a shorter value.
func TestExpansionIsBounded(t *testing.T) {
	src := []byte("A=" + strings.Repeat("x", 1<<20) + "\n" + strings.Repeat("B=\"$A\"\n", 20) + "C=2\n")
	for _, d := range []Dialect{Strict, Godotenv, Compose} {
		f := mustParse(t, src, d)
		total, failed := 0, 0
		for _, e := range f.Entries[1:] {
			total += len(e.Value)
			if e.Err != nil {
				failed++
			} else if e.Name == "B" && len(e.Value) != 1<<20 {
				t.Errorf("%v: line %d has %d bytes", d, e.Line, len(e.Value))
			}
		}
		if total > maxExpandedBytes+1 || failed != 4 {
			t.Errorf("%v: %d bytes, %d entries in error", d, total, failed)
		}
		if c := effective(f, "C"); c.Err != nil {
			t.Errorf("%v: %v", d, c.Err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	var src bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&src, "NAME_%d='value number %d' # comment\n", i, i)
	}
	b.SetBytes(int64(src.Len()))
	for b.Loop() {
		if _, err := Parse(src.Bytes(), Strict); err != nil {
			b.Fatal(err)
		}
	}
}
