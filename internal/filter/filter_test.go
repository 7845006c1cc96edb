package filter_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mazevault/vault-tool/internal/filter"
	"github.com/mazevault/vault-tool/internal/matcher"
)

func newSet(t testing.TB, values ...string) *matcher.Set {
	t.Helper()
	var b matcher.Builder
	for i, v := range values {
		if err := b.Add("V"+string(rune('0'+i)), []byte(v)); err != nil {
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

func newFilter(t testing.TB, s *matcher.Set, out io.Writer) *filter.Filter {
	t.Helper()
	f, err := filter.New(s, out)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func pass(t testing.TB, f *filter.Filter, r io.Reader) {
	t.Helper()
	if _, err := f.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
}

func TestEveryCut(t *testing.T) {
	const value = "p@ss w/rd\"x\n-end"
	s := newSet(t, value, "short", "another-value", "another-value-longer")
	in := "a " + value + " another-value another-value-longe another-value-longer\x00\xff" + base64.StdEncoding.EncodeToString([]byte("u:"+value)) + value[:9]
	digits := base64.StdEncoding.EncodeToString([]byte("u:p"))[:3] // the third one depends on the value's first byte too
	want := "a [V0] [V2] [V2]-longe [V3]\x00\xff" + digits + "[V0]" + value[:9]
	for cut := range len(in) + 1 {
		var out bytes.Buffer
		f := newFilter(t, s, &out)
		pass(t, f, strings.NewReader(in[:cut]))
		pass(t, f, strings.NewReader(in[cut:]))
		if err := f.Close(); err != nil || out.String() != want {
			t.Fatalf("cut at %d: %q, want %q; %v", cut, out.String(), want, err)
		}
	}
	var out bytes.Buffer
	f := newFilter(t, s, &out)
	pass(t, f, iotest.OneByteReader(strings.NewReader(in)))
	if err := f.Close(); err != nil || out.String() != want {
		t.Fatalf("byte by byte: %q, %v", out.String(), err)
	}
}

func TestWhatWaits(t *testing.T) {
	s := newSet(t, "password-1")
	var out bytes.Buffer
	f := newFilter(t, s, &out)
	for _, step := range []struct{ in, shown string }{
		{"Password: ", "Password: "}, {"pass", "Password: "}, {"pass", "Password: pass"}, {"word-", "Password: pass"},
		{"1!", "Password: pass[V0]!"},
	} {
		pass(t, f, strings.NewReader(step.in))
		if out.String() != step.shown {
			t.Errorf("after %q: %q, want %q", step.in, out.String(), step.shown)
		}
	}
	pass(t, f, strings.NewReader("passwor"))
	if err := f.Close(); err != nil || !strings.HasSuffix(out.String(), "!passwor") {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// TestRestless waits for a pipe to have nothing more.
func TestRestless(t *testing.T) {
	s := newSet(t, "password-1")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	shown, out := io.Pipe()
	f := newFilter(t, s, out)
	done := make(chan error, 1)
	go func() {
		_, err := f.Restless(r)
		done <- errors.Join(err, f.Close(), out.Close())
	}()
	see := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(shown, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v, want %q", got, err, want)
		}
	}
	for _, step := range []struct{ typed, seen string }{{"p", "p"}, {"a", "a"}, {"x", "x"}, {"p", "p"}, {"assword-1", "[V0]"}, {"passxp", "passxp"}} {
		if _, err := io.WriteString(w, step.typed); err != nil {
			t.Fatal(err)
		}
		see(step.seen)
	}
	if _, err := io.WriteString(w, "assw"); err != nil { // five wait: not one is shown
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	see("assw")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestErrors(t *testing.T) {
	s := newSet(t, "password-1")
	boom := errors.New("boom")
	f := newFilter(t, s, broken{boom})
	if _, err := f.ReadFrom(strings.NewReader("text")); !errors.Is(err, boom) {
		t.Error(err)
	}
	if err := f.Close(); !errors.Is(err, boom) {
		t.Error(err)
	}
	var out bytes.Buffer
	f = newFilter(t, s, &out)
	if _, err := f.ReadFrom(io.MultiReader(strings.NewReader("text pass"), iotest.ErrReader(boom))); !errors.Is(err, boom) {
		t.Error(err)
	}
	if err := f.Close(); err != nil || out.String() != "text pass" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// FuzzCuts cuts a stream anywhere and compares with the uncut one.
func FuzzCuts(f *testing.F) {
	f.Add("password-1", "sword-1 pass", "my password-1 sword-1 pass", uint64(1))
	f.Add("aaaaaaaaaa", "aaaaaaaab", "aaaaaaaaaaaaaaaaaaaaab", uint64(2))
	f.Fuzz(func(t *testing.T, a, b, text string, seed uint64) {
		const most = 300
		a, b, text = a[:min(len(a), most)], b[:min(len(b), most)], text[:min(len(text), most)]
		s := newSet(t, a, b)
		text += a + b[:len(b)/2] + base64.URLEncoding.EncodeToString([]byte(text+a)) + b
		var whole, cut bytes.Buffer
		one := newFilter(t, s, &whole)
		pass(t, one, strings.NewReader(text))
		many := newFilter(t, s, &cut)
		r := rand.New(rand.NewPCG(seed, 0))
		for rest := text; rest != ""; {
			n := 1 + r.IntN(min(len(rest), 40))
			pass(t, many, strings.NewReader(rest[:n]))
			rest = rest[n:]
		}
		if err := errors.Join(one.Close(), many.Close()); err != nil {
			t.Fatal(err)
		}
		if whole.String() != cut.String() {
			t.Fatalf("%q cut is %q, whole %q", text, cut.String(), whole.String())
		}
		if len(a) >= matcher.MinBytes && a != b && strings.Contains(whole.String(), a) && !strings.Contains("[V0][V1]", a) && !overlaps(a, b) {
			t.Fatalf("%q stays in %q", a, whole.String())
		}
	})
}

// overlaps tells whether taking one value out of a text can put the other together, or leave some of it.
func overlaps(a, b string) bool { return strings.ContainsAny(a+b, "[V01]") }
