package terminal

import "testing"

func TestAppendVisible(t *testing.T) {
	for value, want := range map[string]string{
		"":                         "",
		"plain ž 🔑\n\tend":         "plain ž 🔑\n\tend",
		"\x1b]52;c;aGk=\x07":       `\x1b]52;c;aGk=\x07`,
		"a\rb\x00\x7f":             `a\x0db\x00\u007f`,
		"\u009b31m":                `\u009b31m`,
		"\u202eevil\u202c":         `\u202eevil\u202c`,
		"\xff\x9b":                 `\xff\x9b`,
		"\ufffd is a character":    "\ufffd is a character",
		"-----BEGIN KEY-----\nA==": "-----BEGIN KEY-----\nA==",
	} {
		n, changed := VisibleLen([]byte(value))
		dst := make([]byte, 0, n)
		got := AppendVisible(dst, []byte(value))
		if string(got) != want || n != len(want) || changed != (want != value) {
			t.Errorf("%q: %q of %d bytes, changed %v; want %q", value, got, n, changed, want)
		}
		if n > 0 && &got[0] != &dst[:1][0] {
			t.Errorf("%q: allocated", value)
		}
	}
}
