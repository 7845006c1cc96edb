package dotenv

import (
	"bytes"
	"fmt"
)

// UTF16Error is returned by Parse for a file that is UTF-16, as a whole or from some line on. Some Windows shells write such
// files, with a byte order mark or without, and append so to files that are UTF-8. No dotenv reader takes them.
type UTF16Error struct {
	Line int // 1-based line on which the UTF-16 begins
}

func (e *UTF16Error) Error() string {
	if e.Line == 1 {
		return "the file is UTF-16; save it as UTF-8"
	}
	return fmt.Sprintf("the file is UTF-16 from line %d on, as if another program had appended to it; save it as UTF-8", e.Line)
}

var utf8BOM = []byte("\xEF\xBB\xBF")

// findUTF16 returns the offset of the first text in UTF-16, or -1. Without a byte order mark at the beginning of src, three ASCII
// characters in a row with a zero byte before or behind each are taken for UTF-16.
func findUTF16(src []byte) int {
	if bytes.HasPrefix(src, []byte{0xFF, 0xFE}) || bytes.HasPrefix(src, []byte{0xFE, 0xFF}) {
		return 0
	}
	for at := 0; ; at++ {
		zero := bytes.IndexByte(src[at:], 0)
		if zero < 0 {
			return -1
		}
		at += zero
		switch {
		case at > 0 && src[at-1] != '\n' && isWideASCII(src[at-1:], 0):
			return at - 1
		case isWideASCII(src[at:], 1):
			return at
		}
	}
}

// isWideASCII tells whether src begins with three ASCII characters of two bytes, of which the one at offset low is not zero.
func isWideASCII(src []byte, low int) bool {
	const characters = 3
	if len(src) < 2*characters {
		return false
	}
	for i := 0; i < 2*characters; i += 2 {
		c := src[i+low]
		if src[i+1-low] != 0 || (c < ' ' && c != '\n' && c != '\r' && c != '\t') || c > '~' {
			return false
		}
	}
	return true
}
