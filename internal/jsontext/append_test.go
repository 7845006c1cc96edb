package jsontext

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// jsonSamples are strings that meet every rule of the canonical form.
func jsonSamples() []string {
	samples := []string{"", "plain", allASCII(), "\"", "\\", "ß€😀\u2028\u2029\ufffd\U0010ffff", strings.Repeat("long ", 1000), "\x00", "\x1f\x20\x7f"}
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune(allASCII() + "ß€😀\u2028")
	for range 200 {
		var s strings.Builder
		for range random.IntN(40) {
			s.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		samples = append(samples, s.String())
	}
	return samples
}

func TestAppendString(t *testing.T) {
	for _, sample := range jsonSamples() {
		got := AppendString([]byte("before"), []byte(sample))
		text, ok := bytes.CutPrefix(got, []byte("before"))
		if !ok || len(text) != StringLen([]byte(sample)) {
			t.Errorf("%q: appended %q, StringLen is %d", sample, got, StringLen([]byte(sample)))
		}
		var back string
		if err := json.Unmarshal(text, &back); err != nil || back != sample {
			t.Errorf("%q: written as %s, read back as %q, %v", sample, text, back, err)
		}
	}
}

func TestAppendStringCanonicalForm(t *testing.T) {
	const want = `"\u0000\u0001\b\t\n\u000b\f\r\u001f !\"#/[\\]~` + "\x7fé\u2028" + `"`
	got := AppendString(nil, []byte("\x00\x01\b\t\n\v\f\r\x1f !\"#/[\\]~\x7fé\u2028"))
	if string(got) != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestAppendStringDoesNotAllocate(t *testing.T) {
	for _, sample := range jsonSamples() {
		s := []byte(sample)
		dst := make([]byte, 0, StringLen(s))
		var got []byte
		if n := testing.AllocsPerRun(10, func() { got = AppendString(dst, s) }); n != 0 {
			t.Errorf("%q: %v allocations", sample, n)
		}
		if &got[:1][0] != &dst[:1][0] {
			t.Errorf("%q: moved to other memory", sample)
		}
	}
}

// allASCII returns every ASCII character, controls included.
func allASCII() string {
	all := make([]byte, utf8.RuneSelf)
	for i := range all {
		all[i] = byte(i)
	}
	return string(all)
}
