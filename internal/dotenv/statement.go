package dotenv

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// fault says why a reader gives up at a statement.
type fault int

const (
	faultNone     fault = iota
	faultBare           // no separator on the line
	faultName           // a character that no name of this reader has
	faultTrailing       // text behind the quote that should end the value
	faultQuote          // a quote that is never closed
)

// statement is one assignment as one reader delimits it, in offsets into the
// file. After a fault only start and fault are set.
type statement struct {
	name       string
	start, end int // from the name, or the export before it, to the end of the value
	value      int // where the value begins, its quote included
	fault      fault
}

// rules delimit the statements of one reader. They repeat what the reader does
// as far as it decides where a statement ends, and nothing of what it does with
// the value; that is left to the reader itself. They are what makes it possible to
// go on behind a fault, to number lines and to remove statements.
type rules struct {
	// name delimits the name of the statement at offset at, which no blank
	// precedes, and returns the offset where its value begins. It never goes
	// beyond the end of the line.
	name func(src []byte, at int) (name string, value int, f fault)
	// end returns the offset behind the value that begins at offset at.
	end func(src []byte, at int) (int, fault)
}

var (
	godotenvRules = rules{name: godotenvName, end: godotenvEnd}
	composeRules  = rules{name: composeName, end: composeEnd}
	literalRules  = rules{name: literalName, end: literalEnd}
)

func (r rules) statement(src []byte, at int) statement {
	st := statement{start: at}
	name, value, f := r.name(src, at)
	if f == faultNone {
		st.end, f = r.end(src, value)
	}
	if f != faultNone {
		return statement{start: at, fault: f}
	}
	st.name, st.value = name, value
	return st
}

// isBlank reports whether both readers skip r as a blank inside a line.
func isBlank(r rune) bool {
	switch r {
	case '\t', '\v', '\f', '\r', ' ', 0x85, 0xA0:
		return true
	}
	return false
}

func skipBlanks(src []byte, at int) int {
	return len(src) - len(bytes.TrimLeftFunc(src[at:], isBlank))
}

func isQuote(c byte) bool { return c == '\'' || c == '"' }

// lineEnd returns the offset of the first newline at or behind at, or the length
// of src.
func lineEnd(src []byte, at int) int {
	if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(src)
}

var exportWord = []byte("export")

// godotenvName goes by bytes, so that a letter outside ASCII passes only where
// each of its bytes happens to be a letter of Latin-1; so does godotenv.
func godotenvName(src []byte, at int) (string, int, fault) {
	if rest, ok := bytes.CutPrefix(src[at:], exportWord); ok {
		if r, _ := utf8.DecodeRune(rest); isBlank(r) {
			at = skipBlanks(src, at+len(exportWord))
		}
	}
	for i := at; i < len(src); i++ {
		c := src[i]
		r := rune(c)
		switch {
		case isBlank(r) || c == '_' || c == '.':
		case c == '=' || c == ':':
			name := bytes.TrimRightFunc(src[at:i], unicode.IsSpace)
			return string(name), skipBlanks(src, i+1), faultNone
		case c == '\n':
			return "", 0, faultBare
		case !unicode.IsLetter(r) && !unicode.IsNumber(r):
			return "", 0, faultName
		}
	}
	return "", 0, faultBare
}

func godotenvEnd(src []byte, at int) (int, fault) {
	if at == len(src) || !isQuote(src[at]) {
		if i := bytes.IndexAny(src[at:], "\r\n"); i >= 0 {
			return at + i, faultNone
		}
		return len(src), faultNone
	}
	for i := at + 1; i < len(src); i++ {
		// One backslash is enough to keep a quote, even if it is itself escaped.
		if src[i] == src[at] && src[i-1] != '\\' {
			return i + 1, faultNone
		}
	}
	return 0, faultQuote
}

func composeName(src []byte, at int) (string, int, fault) {
	if rest, ok := bytes.CutPrefix(src[at:], exportWord); ok {
		// The \s of a regular expression, which unlike isBlank has the newline.
		if len(rest) > 0 && bytes.IndexByte([]byte("\t\n\f\r "), rest[0]) >= 0 {
			at = skipBlanks(src, at+len(exportWord))
		}
	}
	for i, r := range runes(src[at:]) {
		switch {
		case isBlank(r) || r == '_' || r == '.' || r == '-' || r == '[' || r == ']':
		case r == '=' || r == ':':
			name := bytes.TrimRightFunc(src[at:at+i], unicode.IsSpace)
			if bytes.IndexByte(name, ' ') >= 0 {
				return "", 0, faultName
			}
			return string(name), skipBlanks(src, at+i+1), faultNone
		case r == '\n':
			return "", 0, faultBare
		case !unicode.IsLetter(r) && !unicode.IsNumber(r):
			return "", 0, faultName
		}
	}
	return "", 0, faultBare
}

// runes yields the runes of b with their offsets, as range does for a string,
// without making b a string.
func runes(b []byte) func(yield func(int, rune) bool) {
	return func(yield func(int, rune) bool) {
		for i := 0; i < len(b); {
			r, n := utf8.DecodeRune(b[i:])
			if !yield(i, r) {
				return
			}
			i += n
		}
	}
}

func composeEnd(src []byte, at int) (int, fault) {
	if at == len(src) || !isQuote(src[at]) {
		return lineEnd(src, at), faultNone
	}
	escaped := false
	for i := at + 1; i < len(src); i++ {
		switch {
		case escaped:
			escaped = false
		case src[i] == '\\':
			escaped = true
		case src[i] == src[at]:
			return i + 1, faultNone
		}
	}
	return 0, faultQuote
}
