package keysource

import (
	"strings"
	"testing"
)

func TestIrregularities(t *testing.T) {
	for passphrase, want := range map[string]string{
		"0123abcd":           "",
		"two words":          "",
		"\xef\xbb\xbf0123":   "a byte order mark",
		"\xff\xfe0\x001\x00": "a byte order mark",
		"0123\n":             "a second line",
		"0123\n4567":         "a second line",
		"0123 ":              "a trailing blank",
		"0123\t":             "a trailing blank",
		"\xef\xbb\xbf01\n2 ": "a byte order mark, a second line, a trailing blank",
	} {
		if got := strings.Join(Irregularities([]byte(passphrase)), ", "); got != want {
			t.Errorf("%q: %q, want %q", passphrase, got, want)
		}
	}
}
