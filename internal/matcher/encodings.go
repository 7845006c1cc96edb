package matcher

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"unicode/utf8"
)

// encoding is one way in which programs write a value.
type encoding struct {
	append func(dst, value []byte) []byte // dst has the room
	growth int                            // how many times as long as the value the result can be
}

// encodingSlack is by how much an encoding can be longer than growth says.
const encodingSlack = 16

// asItIs is how many of the encodings are no more than the value itself.
const asItIs = 3

// encodings are what every value is looked for in. Those of letters and digits alone are mostly equal, and then one.
var encodings = slicesOf(
	[]encoding{
		{plain, 1}, {crlf, 2}, {lf, 1}, // asItIs
		{escaping(jsonText, nil), 6},                     // JavaScript, jq
		{escaping(jsonText, asciiOnly), 6},               // Python
		{escaping(jsonText, htmlInJSON), 6},              // Go
		{escaping(jsonText, slashAndASCII), 6},           // PHP
		{escaping(apostrophe(`'\''`), nil), 4},           // inside of '…'
		{escaping(apostrophe(`'"'"'`), nil), 5},          // the same from Python's shlex
		{escaping(backslash("\"\\$`"), nil), 2},          // inside of "…"
		{escaping(backslash(shellSpecial), nil), 2},      // printf %q
		{escaping(backslash(shellSpecial+"#~"), nil), 2}, // the same of a word that begins with one of these
		{escaping(ansiC, nil), 4},                        // inside of $'…'
		{hexadecimal(false), 2}, {hexadecimal(true), 2},
	},
	urlEncodings(), base64Encodings())

func slicesOf(lists ...[]encoding) []encoding {
	var all []encoding
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func plain(dst, value []byte) []byte { return append(dst, value...) }

// crlf is the value with the ends of lines that a terminal and Windows have.
func crlf(dst, value []byte) []byte {
	for i, c := range value {
		if c == '\n' && (i == 0 || value[i-1] != '\r') {
			dst = append(dst, '\r')
		}
		dst = append(dst, c)
	}
	return dst
}

// lf is the value with the ends of lines that a text on Unix has.
func lf(dst, value []byte) []byte {
	for i, c := range value {
		if c != '\r' || i+1 == len(value) || value[i+1] != '\n' {
			dst = append(dst, c)
		}
	}
	return dst
}

// escape appends what stands for a character, if that is not itself.
type escape func(dst []byte, c rune) (escaped []byte, ok bool)

// escaping is the encoding of an escape, or of a stronger one where that has something for a character.
func escaping(usual, stronger escape) func(dst, value []byte) []byte {
	return func(dst, value []byte) []byte {
		for len(value) > 0 {
			c, size := utf8.DecodeRune(value)
			escaped, ok := dst, false
			if stronger != nil {
				escaped, ok = stronger(dst, c)
			}
			if !ok {
				escaped, ok = usual(dst, c)
			}
			if !ok {
				escaped = append(dst, value[:size]...)
			}
			dst, value = escaped, value[size:]
		}
		return dst
	}
}

const lowerDigits, upperDigits = "0123456789abcdef", "0123456789ABCDEF"

// jsonText escapes what a JSON string has to (RFC 8259, section 7), in the short form where there is one.
func jsonText(dst []byte, c rune) ([]byte, bool) {
	const shortFrom, shortTo = "\"\\\b\f\n\r\t", `"\bfnrt`
	if at := bytes.IndexByte([]byte(shortFrom), byte(c)); c < utf8.RuneSelf && at >= 0 {
		return append(dst, '\\', shortTo[at]), true
	}
	if c < ' ' {
		return appendUnicode(dst, c), true
	}
	return dst, false
}

func appendUnicode(dst []byte, c rune) []byte {
	return append(dst, '\\', 'u', lowerDigits[c>>12&15], lowerDigits[c>>8&15], lowerDigits[c>>4&15], lowerDigits[c&15])
}

// asciiOnly escapes what is not ASCII, beyond the basic plane as two surrogates.
func asciiOnly(dst []byte, c rune) ([]byte, bool) {
	const basicPlane, highSurrogate, lowSurrogate = 0x10000, 0xD800, 0xDC00
	switch {
	case c <= '~':
		return dst, false
	case c < basicPlane:
		return appendUnicode(dst, c), true
	}
	c -= basicPlane
	return appendUnicode(appendUnicode(dst, highSurrogate+c>>10), lowSurrogate+c&0x3FF), true
}

// htmlInJSON escapes what encoding/json does by default.
func htmlInJSON(dst []byte, c rune) ([]byte, bool) {
	switch c {
	case '<', '>', '&', '\u2028', '\u2029':
		return appendUnicode(dst, c), true
	}
	return dst, false
}

func slashAndASCII(dst []byte, c rune) ([]byte, bool) {
	if c == '/' {
		return append(dst, '\\', '/'), true
	}
	return asciiOnly(dst, c)
}

// apostrophe escapes an apostrophe within apostrophes, which takes leaving them.
func apostrophe(escaped string) escape {
	return func(dst []byte, c rune) ([]byte, bool) {
		if c != '\'' {
			return dst, false
		}
		return append(dst, escaped...), true
	}
}

// shellSpecial is what bash puts a backslash before in words without quotes.
const shellSpecial = " \t!\"$&'()*,;<>?[\\]^`{|}"

func backslash(special string) escape {
	return func(dst []byte, c rune) ([]byte, bool) {
		for i := range len(special) {
			if c == rune(special[i]) {
				return append(dst, '\\', byte(c)), true
			}
		}
		return dst, false
	}
}

// ansiC escapes as bash does inside of $'…'.
func ansiC(dst []byte, c rune) ([]byte, bool) {
	const shortFrom, shortTo = "\a\b\x1b\f\n\r\t\v\\'", `abEfnrtv\'`
	for i := range len(shortFrom) {
		if c == rune(shortFrom[i]) {
			return append(dst, '\\', shortTo[i]), true
		}
	}
	if c < ' ' || c == 0x7F {
		return append(dst, '\\', '0'+byte(c>>6), '0'+byte(c>>3&7), '0'+byte(c&7)), true
	}
	return dst, false
}

func hexadecimal(upper bool) func(dst, value []byte) []byte {
	return func(dst, value []byte) []byte {
		from := len(dst)
		dst = hex.AppendEncode(dst, value)
		if upper {
			for i, c := range dst[from:] {
				if c >= 'a' {
					dst[from+i] = c - 'a' + 'A'
				}
			}
		}
		return dst
	}
}

// urlEncodings escape different characters, in both cases of the digits. All leave letters and digits.
func urlEncodings() []encoding {
	var all []encoding
	for _, left := range []struct{ unescaped, space string }{
		{"-_.~", "%20"},                 // RFC 3986: unreserved characters only
		{"-_.~", "+"},                   // Go's QueryEscape, Python's quote_plus
		{"-_.~/", "%20"},                // Python's quote
		{"-_.~$&+=:@", "%20"},           // Go's PathEscape
		{"-_.~$&+=:@/", "%20"},          // the same of a path
		{"-_.~!'()*", "%20"},            // JavaScript's encodeURIComponent
		{"-_.~!'()*;,/?:@&=+$#", "%20"}, // and encodeURI
		{"-_.*", "+"},                   // forms, as browsers and Java send them
		{"-_.", "+"},                    // PHP's urlencode
	} {
		for _, digits := range []string{upperDigits, lowerDigits} {
			all = append(all, encoding{percent(left.unescaped, left.space, digits), 3})
		}
	}
	return all
}

func percent(unescaped, space, digits string) func(dst, value []byte) []byte {
	var leave [256]bool
	for c := range leave {
		leave[c] = c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || bytes.IndexByte([]byte(unescaped), byte(c)) >= 0
	}
	return func(dst, value []byte) []byte {
		for _, c := range value {
			switch {
			case leave[c]:
				dst = append(dst, c)
			case c == ' ':
				dst = append(dst, space...)
			default:
				dst = append(dst, '%', digits[c>>4], digits[c&15])
			}
		}
		return dst
	}
}

// base64Encodings are in both alphabets. Where the value begins in its group of three bytes decides over the digits; those at
// its ends that depend on what stands beside it are left out. A value at the end of what was encoded has one more digit, and
// perhaps padding. One that was encoded by itself may stand in lines.
func base64Encodings() []encoding {
	const mimeLine, pemLine = 76, 64 // RFC 2045, section 6.8; RFC 7468
	var all []encoding
	for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			for _, end := range []base64End{endsInside, endsAll, endsPadded} {
				all = append(all, encoding{base64Part(alphabet, before, end), 2})
			}
		}
	}
	for _, line := range []struct {
		length int
		end    string
	}{{mimeLine, "\n"}, {mimeLine, "\r\n"}, {pemLine, "\n"}, {pemLine, "\r\n"}} {
		all = append(all, encoding{base64Lines(line.length, line.end), 2})
	}
	return all
}

// base64End says what comes behind a value that is encoded.
type base64End int

const (
	endsInside base64End = iota // more
	endsAll                     // nothing, and no padding
	endsPadded                  // nothing, and padding
)

const base64Group, bitsOfDigit, bitsOfByte = 3, 6, 8

// base64Part encodes a value that stands behind so many bytes of its first group.
func base64Part(alphabet *base64.Encoding, before int, end base64End) func(dst, value []byte) []byte {
	return func(dst, value []byte) []byte {
		from := len(dst)
		var zeros [base64Group]byte
		// The first group, of which other bytes are a part, apart from the rest.
		head := min((base64Group-before)%base64Group, len(value))
		if before > 0 {
			group := append(zeros[:before:base64Group], value[:head]...)
			dst = alphabet.AppendEncode(dst, group)
			clear(zeros[:])
		}
		dst = alphabet.AppendEncode(dst, value[head:])
		total := before + len(value)
		digits := total * bitsOfByte / bitsOfDigit
		switch {
		case end == endsPadded:
			digits = len(dst) - from
		case end == endsAll:
			digits = (total*bitsOfByte + bitsOfDigit - 1) / bitsOfDigit
		}
		skip := (before*bitsOfByte + bitsOfDigit - 1) / bitsOfDigit
		return append(dst[:from], dst[from+skip:from+digits]...)
	}
}

func base64Lines(length int, end string) func(dst, value []byte) []byte {
	return func(dst, value []byte) []byte {
		step := length / 4 * base64Group
		for len(value) > step {
			dst = base64.StdEncoding.AppendEncode(dst, value[:step])
			dst = append(dst, end...)
			value = value[step:]
		}
		return base64.StdEncoding.AppendEncode(dst, value)
	}
}

// minPEMLine is the length from which on a line of a PEM is looked for.
const minPEMLine = 16

// pemLines are the lines of a private key in PEM (RFC 7468) that tell it from others: it may turn up indented, or quoted line by
// line. The first line of several says only what kind of key it is.
func pemLines(text []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		inside, lines := false, 0
		for line := range bytes.Lines(text) {
			line = bytes.TrimSpace(line)
			if bytes.HasPrefix(line, []byte("-----")) {
				inside, lines = bytes.HasPrefix(line, []byte("-----BEGIN ")) && bytes.HasSuffix(line, []byte("PRIVATE KEY-----")), 0
				continue
			}
			if !inside || bytes.ContainsAny(line, ": ") {
				continue
			}
			if lines++; lines > 1 && len(line) >= minPEMLine && !yield(line) {
				return
			}
		}
	}
}
