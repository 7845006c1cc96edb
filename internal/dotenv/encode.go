package dotenv

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// form is a way to write a value.
type form int

const (
	formNone form = iota
	formPlain
	formSingle
	formDouble
	formBare
)

// AppendLine appends the line NAME=value, newline included, such that godotenv and
// docker compose both read it back to exactly value, wherever it stands in a file
// and whatever is set in the environment. It returns false, and dst as it was,
// where there is no such line or name is not one that every reader takes (ASCII
// letters, digits, '_' and '.', not beginning with a digit). It does not
// allocate if dst has room for EncodedLen bytes, so dst can be locked memory.
//
// A plain value stands without quotes, as every reader takes it, a shell and docker run --env-file among them.
// Else single quotes are preferred, because nothing inside them is special to these two.
// They cannot hold a single quote, CRLF, or a backslash at the end. Double quotes
// with \\ \" \$ \n \r for the bytes that need it cannot hold a " or a backslash at the
// end. Without quotes stands what is left and has nothing to be misread.
func AppendLine(dst []byte, name string, value []byte) ([]byte, bool) {
	return appendForm(dst, name, value, formOf(name, value))
}

func appendForm(dst []byte, name string, value []byte, f form) ([]byte, bool) {
	if f == formNone {
		return dst, false
	}
	dst = append(dst, name...)
	dst = append(dst, '=')
	switch f {
	case formSingle:
		dst = append(dst, '\'')
		dst = append(dst, value...)
		dst = append(dst, '\'')
	case formDouble:
		dst = append(dst, '"')
		for _, c := range value {
			if e := escapeOf(c); e != 0 {
				dst = append(dst, '\\', e)
			} else {
				dst = append(dst, c)
			}
		}
		dst = append(dst, '"')
	case formPlain, formBare:
		dst = append(dst, value...)
	}
	return append(dst, '\n'), true
}

// EncodedLen returns the number of bytes that AppendLine appends, and false where
// AppendLine does.
func EncodedLen(name string, value []byte) (int, bool) {
	return formLen(name, value, formOf(name, value))
}

func formLen(name string, value []byte, f form) (int, bool) {
	n := len(name) + len("=\n") + len(value)
	switch f {
	case formSingle:
		return n + 2, true
	case formDouble:
		n += 2
		for _, c := range value {
			if escapeOf(c) != 0 {
				n++
			}
		}
		return n, true
	case formPlain, formBare:
		return n, true
	}
	return 0, false
}

// escapeOf returns the letter that stands behind a backslash for c inside double
// quotes, or 0 if c stands for itself.
func escapeOf(c byte) byte {
	switch c {
	case '\n':
		return 'n'
	case '\r':
		return 'r'
	case '"', '\\', '$':
		return c
	}
	return 0
}

func formOf(name string, value []byte) form {
	for _, f := range forms {
		if carries(f, name, value) {
			return f
		}
	}
	return formNone
}

// forms are all forms, the preferred ones first.
var forms = []form{formPlain, formSingle, formDouble, formBare}

// carries tells whether godotenv and compose read a value back from a form.
func carries(f form, name string, value []byte) bool {
	if !isPlainName(name) {
		return false
	}
	var last byte
	if len(value) > 0 {
		last = value[len(value)-1]
	}
	switch f {
	case formPlain:
		return isPlainValue(value)
	// For compose-go \' inside single quotes is a quote, for godotenv it is two
	// characters. Both keep reading where a backslash stands before the last quote.
	// godotenv makes CRLF a newline everywhere.
	case formSingle:
		return last != '\\' && bytes.IndexByte(value, '\'') < 0 && !containsCRLF(value)
	// godotenv strips every " from the end, an escaped one too.
	case formDouble:
		return last != '\\' && last != '"'
	case formBare:
		return len(value) > 0 && readsBare(value)
	}
	return false
}

// isPlainValue tells whether nothing in value, which is not empty, means anything to any reader.
func isPlainValue(value []byte) bool {
	for _, c := range value {
		if !isWordByte(c) && bytes.IndexByte([]byte("./:@%+,=-"), c) < 0 {
			return false
		}
	}
	return len(value) > 0
}

func isPlainName(name string) bool {
	// docker compose skips a name that begins with a digit.
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for i := 0; i < len(name); i++ {
		if !isWordByte(name[i]) && name[i] != '.' {
			return false
		}
	}
	return true
}

func containsCRLF(value []byte) bool {
	for i := 1; i < len(value); i++ {
		if value[i] == '\n' && value[i-1] == '\r' {
			return true
		}
	}
	return false
}

// readsBare reports whether both readers take value, not empty, as it is when it
// stands without quotes.
func readsBare(value []byte) bool {
	first, _ := utf8.DecodeRune(value)
	last, _ := utf8.DecodeLastRune(value)
	// godotenv goes through runes, so bytes that are not UTF-8 would not survive.
	if isQuote(value[0]) || unicode.IsSpace(first) || unicode.IsSpace(last) || !utf8.Valid(value) {
		return false
	}
	var before rune
	for i, r := range runes(value) {
		switch {
		case r == '\n' || r == '\r':
			return false
		case r == '#' && isBlank(before):
			return false
		case r == '$' && (before == '\\' || expands(value[i+1:])):
			return false
		}
		before = r
	}
	return true
}

// expands reports whether some reader does not take a $ as it is when rest follows it
// in a value without quotes.
func expands(rest []byte) bool {
	r, _ := utf8.DecodeRune(rest)
	switch {
	case len(rest) == 0:
		return false
	// compose-go matches letters without regard to case, and so these two as k and s.
	case r == '$' || r == '{' || r == '\u212A' || r == '\u017F' || isWordByte(rest[0]):
		return true
	case r != '(':
		return false
	}
	// godotenv takes $(NAME and $({NAME as references.
	rest = bytes.TrimPrefix(rest[1:], []byte{'{'})
	return len(rest) > 0 && isCapitalWordByte(rest[0])
}
