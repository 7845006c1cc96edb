package vaultfile

import "unicode/utf8"

// The canonical JSON that a payload is written in: no insignificant space, names sorted, the two
// mandatory escapes and control characters escaped, everything else as UTF-8. Equal contents give
// equal bytes.

// escapeLetters maps a control character to the letter of its two-character escape, 0 for those
// written as \u00XX.
var escapeLetters = [utf8.RuneSelf]byte{
	'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't',
}

const hexDigits = "0123456789abcdef"

// JSONStringLen returns the length of what [AppendJSONString] appends for s.
func JSONStringLen(s []byte) int {
	n := len(s) + len(`""`)
	for i := plainPrefix(s); i < len(s); i += 1 + plainPrefix(s[i+1:]) {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
		case escapeLetters[c] != 0:
			n += len(`\n`) - 1
		default:
			n += len(`\u0000`) - 1
		}
	}
	return n
}

// AppendJSONString appends s, which is valid UTF-8, as a JSON string in the canonical form. It
// allocates nothing where dst has room for [JSONStringLen] more bytes, so that a value can go from
// locked memory to locked memory.
func AppendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i := plainPrefix(s); i < len(s); i += 1 + plainPrefix(s[i+1:]) {
		c := s[i]
		if c >= utf8.RuneSelf {
			continue
		}
		dst = append(dst, s[from:i]...)
		if letter := escapeLetters[c]; letter != 0 {
			dst = append(dst, '\\', letter)
		} else {
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
		}
		from = i + 1
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}
