// Package jsontext writes JSON strings in the canonical form of a vault's payload: the two mandatory escapes and
// control characters escaped, everything else as UTF-8, so that equal contents give equal bytes. It copies nothing to
// the heap, so that a value can go from locked memory to locked memory.
package jsontext

import "unicode/utf8"

// escapeLetters maps a control character to the letter of its two-character escape, 0 for those
// written as \u00XX.
var escapeLetters = [utf8.RuneSelf]byte{
	'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't',
}

const hexDigits = "0123456789abcdef"

// StringLen returns the length of what [AppendString] appends for s.
func StringLen(s []byte) int {
	n := len(s) + len(`""`)
	for i := PlainPrefix(s); i < len(s); i += 1 + PlainPrefix(s[i+1:]) {
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

// AppendString appends s, which is valid UTF-8, as a JSON string in the canonical form. It
// allocates nothing where dst has room for [StringLen] more bytes.
func AppendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i := PlainPrefix(s); i < len(s); i += 1 + PlainPrefix(s[i+1:]) {
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
