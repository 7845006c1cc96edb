package keysource

import (
	"bytes"
	"errors"
	"testing"
)

func TestPassphraseReadingRule(t *testing.T) {
	for _, test := range []struct{ raw, want string }{
		{"secret", "secret"},
		{"secret\n", "secret"},
		{"secret\r\n", "secret"},
		{"secret\n\n", "secret\n"},
		{"secret\r\n\r\n", "secret\r\n"},
		{"secret\n\r\n", "secret\n"},
		{"secret\r\r\n", "secret\r"},
		{"secret\r", "secret\r"},
		{"secret\n\r", "secret\n\r"},
		{" secret \t\n", " secret \t"},
		{"\nsecret", "\nsecret"},
		{"a\nb\x00\xff\r\nc", "a\nb\x00\xff\r\nc"},
		{"\ufeffsecret\n", "\ufeffsecret"},
		{"\r", "\r"},
		{"\n\n", "\n"},
		{"\x00", "\x00"},
	} {
		raw := []byte(test.raw)
		got, err := Passphrase(raw)
		if err != nil || string(got) != test.want {
			t.Errorf("%q: %q, %v, want %q", test.raw, got, err, test.want)
		}
		if len(got) > 0 && &got[0] != &raw[0] {
			t.Errorf("%q: the passphrase was copied", test.raw)
		}
	}
	for _, raw := range []string{"", "\n", "\r\n"} {
		if got, err := Passphrase([]byte(raw)); !errors.Is(err, ErrEmpty) {
			t.Errorf("%q: %q, %v, want ErrEmpty", raw, got, err)
		}
	}
}

// FuzzPassphrase checks that what is taken off is one newline at the end and nothing else.
func FuzzPassphrase(f *testing.F) {
	for _, seed := range []string{"", "\n", "\r\n", "a\n", "a\r\n", "a\n\n", "a\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Passphrase(raw)
		if (err != nil) != (len(got) == 0) {
			t.Fatalf("%q, %v", got, err)
		}
		newline, found := bytes.CutPrefix(raw, got)
		if !found || len(newline) > 0 && string(newline) != "\n" && string(newline) != "\r\n" {
			t.Errorf("%q is read as %q", raw, got)
		}
	})
}
