package matcher

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// build returns a set of values that are named V0, V1 and so on.
func build(t testing.TB, values ...string) *Set {
	t.Helper()
	var b Builder
	for i, v := range values {
		if err := b.Add(fmt.Sprintf("V%d", i), []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Destroy)
	return s
}

// masked is text with the names of its values in their place.
func masked(s *Set, text string) string {
	var out strings.Builder
	for at := 0; ; {
		m, found := s.Find([]byte(text), at, true)
		out.WriteString(text[at:m.Start])
		if !found {
			return out.String()
		}
		out.WriteString("[" + strings.Join(s.Names(m), ",") + "]")
		at = m.End
	}
}

const awkward = "p@ss w/rd\"x\n<é€😀>'$\\`~end"

func TestEncodingsAreFound(t *testing.T) {
	s := build(t, awkward, "plain-value-0")
	marshalled, _ := json.Marshal(awkward)
	for name, text := range map[string]string{
		"itself":             awkward,
		"CRLF":               strings.ReplaceAll(awkward, "\n", "\r\n"),
		"Go's JSON":          string(marshalled[1 : len(marshalled)-1]),
		"JavaScript's JSON":  `p@ss w/rd\"x\n<é€😀>'$\\` + "`~end",
		"Python's JSON":      `p@ss w/rd\"x\n<\u00e9\u20ac\ud83d\ude00>'$\\` + "`~end",
		"PHP's JSON":         `p@ss w\/rd\"x\n<\u00e9\u20ac\ud83d\ude00>'$\\` + "`~end",
		"Go's query":         url.QueryEscape(awkward),
		"Go's path":          url.PathEscape(awkward),
		"encodeURIComponent": `p%40ss%20w%2Frd%22x%0A%3C%C3%A9%E2%82%AC%F0%9F%98%80%3E'%24%5C%60~end`,
		"lower-case digits":  `p%40ss%20w%2frd%22x%0a%3c%c3%a9%e2%82%ac%f0%9f%98%80%3e'%24%5c%60~end`,
		"apostrophes":        strings.ReplaceAll(awkward, "'", `'\''`),
		"Python's shlex":     strings.ReplaceAll(awkward, "'", `'"'"'`),
		"quotation marks":    "p@ss w/rd\\\"x\n<é€😀>'\\$\\\\\\`~end",
		"ANSI C":             `p@ss w/rd"x\n<é€😀>\'$\\` + "`~end",
		"hexadecimal":        hex.EncodeToString([]byte(awkward)),
		"HEXADECIMAL":        strings.ToUpper(hex.EncodeToString([]byte(awkward))),
		"base64":             base64.StdEncoding.EncodeToString([]byte(awkward)),
		"base64 for URLs":    base64.URLEncoding.EncodeToString([]byte(awkward)),
		"unpadded base64":    base64.RawStdEncoding.EncodeToString([]byte(awkward)),
	} {
		if got := masked(s, text); got != "[V0]" {
			t.Errorf("%s: %q becomes %q", name, text, got)
		}
	}
	if got := masked(s, "a plain-value-0 and plain-value-1"); got != "a [V1] and plain-value-1" {
		t.Error(got)
	}
}

func TestShellWords(t *testing.T) {
	s := build(t, "a b;c&d#e~f!", "#begins with")
	for _, text := range []string{`a\ b\;c\&d#e~f\!`, `a b;c&d#e~f!`} {
		if got := masked(s, text); got != "[V0]" {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	if got := masked(s, `\#begins\ with`); got != "[V1]" {
		t.Error(got)
	}
}

// TestBase64InsideOfOthers: whatever stands before and behind a value, no more of it than a digit at each end is left.
func TestBase64InsideOfOthers(t *testing.T) {
	s := build(t, "plain-value-0")
	for before := range 7 {
		for behind := range 7 {
			text := strings.Repeat("~", before) + "plain-value-0" + strings.Repeat("\xff", behind)
			for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
				got := masked(s, alphabet.EncodeToString([]byte(text)))
				if strings.Count(got, "[V0]") != 1 || len(got) > len("[V0]")+(before+behind+4)*4/3+4 {
					t.Errorf("%d before, %d behind: %q", before, behind, got)
				}
				if before%3 == 0 && behind == 0 && !strings.HasSuffix(got, "[V0]") {
					t.Errorf("%d before: %q", before, got)
				}
			}
		}
	}
}

func TestLines(t *testing.T) {
	body := strings.Repeat("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2", 1)
	lines := []string{"-----BEGIN PRIVATE KEY-----", body, "second" + body[6:], "third" + body[5:], "short==", "-----END PRIVATE KEY-----"}
	pem := strings.Join(lines, "\n") + "\n"
	s := build(t, pem)
	for text, want := range map[string]string{
		pem:                                   "[V0]",
		strings.TrimSuffix(pem, "\n"):         "[V0]",
		strings.ReplaceAll(pem, "\n", "\r\n"): "[V0]",
		"key: |\n  " + strings.Join(lines, "\n  "): "key: |\n  " + lines[0] + "\n  " + body + "\n  [V0]\n  [V0]\n  short==\n  " + lines[5],
	} {
		if got := masked(s, text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	wrapped := base64.StdEncoding.EncodeToString([]byte(pem))
	for _, length := range []int{64, 76} {
		var out []string
		for piece := range slices.Chunk([]byte(wrapped), length) {
			out = append(out, string(piece))
		}
		if got := masked(s, strings.Join(out, "\n")); got != "[V0]" {
			t.Errorf("lines of %d: %q", length, got)
		}
	}
}

func TestWhichMatchCounts(t *testing.T) {
	s := build(t, "12345678", "1234567890", "5678901234", "12345678", "abcdefgh", "1234567890abcdefgh!")
	for text, want := range map[string]string{
		"12345678":            "[V0,V3]",        // both names of one value
		"123456789":           "[V0,V3]9",       // the longest that is there
		"1234567890":          "[V1]",           //
		"1234567890abcdefgh":  "[V1][V4]",       // though a longer one had begun
		"1234567890abcdefgh!": "[V5]",           //
		"12345678901234":      "[V1]1234",       // the first one
		"0567890123456789":    "0[V2]56789",     //
		"1234567812345678":    "[V0,V3][V0,V3]", // one behind the other
	} {
		if got := masked(s, text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestShortAndLarge(t *testing.T) {
	var b Builder
	large := strings.Repeat("0123456789", MaxEncodedBytes/10+1)
	for name, value := range map[string]string{"SHORT": "1234567", "EMPTY": "", "LARGE": large} {
		if err := b.Add(name, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(b.short)
	if fmt.Sprint(b.Short(), b.Large()) != "[EMPTY SHORT] [LARGE]" {
		t.Error(b.Short(), b.Large())
	}
	s, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Destroy()
	if got := masked(s, "1234567 "+large+"."); got != "1234567 [LARGE]." {
		t.Errorf("%.100q", got)
	}
}

func TestEmptySet(t *testing.T) {
	if got := masked(build(t), "any text"); got != "any text" {
		t.Error(got)
	}
	var none *Set
	none.Destroy()
}

// naive finds what Find is to find, without any of its tables.
func naive(s *Set, data []byte, from int, final bool) (start, end int, found bool) {
	for i := from; i < len(data); i++ {
		end, more := 0, false
		for _, p := range s.patterns {
			if bytes.HasPrefix(data[i:], p.text) {
				end = max(end, i+len(p.text))
			}
			more = more || len(p.text) > len(data)-i && bytes.HasPrefix(p.text, data[i:])
		}
		if more && !final {
			return i, 0, false
		}
		if end > 0 {
			return i, end, true
		}
	}
	return len(data), 0, false
}

func compareWithNaive(t *testing.T, s *Set, data []byte) {
	t.Helper()
	for _, final := range []bool{true, false} {
		for at := 0; at <= len(data); {
			m, found := s.Find(data, at, final)
			start, end, want := naive(s, data, at, final)
			if found != want || m.Start != start || found && m.End != end {
				t.Fatalf("in %q from %d, final %v: %d to %d, %v; want %d to %d, %v", data, at, final, m.Start, m.End, found, start, end, want)
			}
			if !found {
				break
			}
			at = m.End
		}
	}
}

// FuzzFind compares with a search that has no tables. Pieces of the values are put into the text, or hardly any would match.
func FuzzFind(f *testing.F) {
	f.Add("password-1", "word-1pass", "xx password-1 word", uint64(1))
	f.Add("aaaaaaaaaa", "aaaaaaaab", "aaaaaaaaaaaaaaaaaaaaab", uint64(2))
	f.Add("\x00\x00\x00\x00\x00\x00\x00\x00", "a\r\nb\r\nc\r\n'", "\x00\x00", uint64(3))
	f.Fuzz(func(t *testing.T, a, b, text string, seed uint64) {
		const most = 200
		s := build(t, a[:min(len(a), most)], b[:min(len(b), most)], a[:min(len(a), most)]+"x")
		r := rand.New(rand.NewPCG(seed, 0))
		data := []byte(text[:min(len(text), most)])
		for range 4 {
			if len(s.patterns) == 0 {
				break
			}
			p := s.patterns[r.IntN(len(s.patterns))].text
			at := r.IntN(len(data) + 1)
			data = slices.Insert(data, at, p[:r.IntN(len(p)+1)]...)
		}
		compareWithNaive(t, s, data)
	})
}

// TestManyValues compares where the tables are not the smallest ones.
func TestManyValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]string, 300)
	for i := range values {
		digits := make([]byte, 8+r.IntN(6))
		for at := range digits {
			digits[at] = "ab"[r.IntN(2)]
		}
		values[i] = string(digits)
	}
	s := build(t, values...)
	data := make([]byte, 3000)
	for at := range data {
		data[at] = "abab c"[r.IntN(6)]
	}
	compareWithNaive(t, s, data)
}

func BenchmarkFind(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	line := "2026-11-26T07:00:00Z INFO request served path=/api/v1/things status=200 duration=12ms id=%016x token=%s\n"
	var text bytes.Buffer
	for text.Len() < 4<<20 {
		fmt.Fprintf(&text, line, r.Uint64(), base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d", r.Uint64())))
	}
	for _, count := range []int{27, 1000, 10_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			var values []string
			for range count {
				values = append(values, fmt.Sprintf("%016x%016x/+", r.Uint64(), r.Uint64()))
			}
			s := build(b, values...)
			b.SetBytes(int64(text.Len()))
			b.ReportMetric(float64(len(s.skips.skips)+len(s.prefixes.entries))/1024, "KiB_tables")
			for b.Loop() {
				if _, found := s.Find(text.Bytes(), 0, true); found {
					b.Fatal("found")
				}
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var values []string
	for range 20_000 {
		values = append(values, fmt.Sprintf("%016x%016x/+", r.Uint64(), r.Uint64()))
	}
	for b.Loop() {
		s := build(b, values...)
		b.ReportMetric(float64(len(s.patterns))/float64(len(values)), "patterns/value")
		s.Destroy()
	}
}
