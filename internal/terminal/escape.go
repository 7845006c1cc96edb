package terminal

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// A value that is shown on a terminal must not steer it: escape sequences set the title, the clipboard, the answers
// that the terminal types. So control characters other than newline and tab, and those that turn the direction of
// writing, are shown as \xNN or \uNNNN.
//
// The second is JSON's form too, and JSON has none of the characters in it that get the first: what is JSON stays what it means.

// VisibleLen returns how many bytes AppendVisible appends, and whether that is another text than value.
func VisibleLen(value []byte) (n int, changed bool) {
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		if steersTerminal(r, size) {
			n, changed = n+escapedLen(r, size), true
		} else {
			n += size
		}
		value = value[size:]
	}
	return n, changed
}

// AppendVisible appends value with what steers a terminal escaped. It does not allocate if dst has room for
// VisibleLen bytes, so dst can be locked memory.
func AppendVisible(dst, value []byte) []byte {
	for len(value) > 0 {
		r, size := utf8.DecodeRune(value)
		switch {
		case !steersTerminal(r, size):
			dst = append(dst, value[:size]...)
		case escapedLen(r, size) == len(`\x00`):
			if size == 1 {
				r = rune(value[0])
			}
			dst = fmt.Appendf(dst, `\x%02x`, r)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
		value = value[size:]
	}
	return dst
}

// steersTerminal tells whether a character, of so many bytes in UTF-8, is not to reach a terminal as it is.
func steersTerminal(r rune, size int) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r == utf8.RuneError && size == 1: // no UTF-8: some terminals take such bytes for control characters
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

func escapedLen(r rune, size int) int {
	if r < ' ' || r == utf8.RuneError && size == 1 {
		return len(`\x00`)
	}
	return len(`\u0000`)
}
