package jsontext

import (
	"unicode/utf16"
	"unicode/utf8"
)

// AppendUnquoted appends what a JSON string in its quotes stands for, which is never longer than the string. It reports whether the
// string is valid; src is valid UTF-8.
func AppendUnquoted(dst, src []byte) (value []byte, ok bool) {
	if len(src) < len(`""`) || src[0] != '"' || src[len(src)-1] != '"' {
		return dst, false
	}
	src = src[1 : len(src)-1]
	for len(src) > 0 {
		n := PlainPrefix(src)
		dst = append(dst, src[:n]...)
		src = src[n:]
		switch {
		case len(src) == 0:
		case src[0] == '\\':
			r, size := Escaped(src)
			if size == 0 {
				return dst, false
			}
			dst = utf8.AppendRune(dst, r)
			src = src[size:]
		case src[0] == '"' || src[0] < ' ':
			return dst, false
		default:
			dst = append(dst, src[0]) // a byte of a character beyond ASCII
			src = src[1:]
		}
	}
	return dst, true
}

// unescapes maps the letter of a two-character escape to its meaning (RFC 8259, section 7).
var unescapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// Escaped returns the character that the escape at the beginning of s stands for, and the length of the escape. The length is 0 where
// there is none, and where it is half of a surrogate pair; then r is utf8.RuneError.
func Escaped(s []byte) (r rune, size int) {
	const unicodeEscape = len(`\u0000`)
	if len(s) >= len(`\n`) && s[0] == '\\' && unescapes[s[1]] != 0 {
		return rune(unescapes[s[1]]), len(`\n`)
	}
	r, ok := hexEscape(s)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, unicodeEscape
	}
	low, ok := hexEscape(s[unicodeEscape:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return utf8.RuneError, 0
	}
	return r, 2 * unicodeEscape
}

// hexEscape reads `\uXXXX` at the beginning of s.
func hexEscape(s []byte) (rune, bool) {
	const length = len(`\u0000`)
	if len(s) < length || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[len(`\u`):length] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
