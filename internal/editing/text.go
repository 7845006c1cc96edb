package editing

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/jsontext"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// Secret is a secret in a text.
type Secret struct {
	Name  string
	Value []byte
}

// Head explains the text to who sees it.
const Head = `# One secret a line: NAME=value. A line that is removed removes its secret.
# A value in double quotes is a JSON string: \n is a newline, \" a quote.
# Any other value is what stands behind the '=', to the end of the line.
`

// LineError is a mistake in a text. Its message holds no part of a value.
type LineError struct {
	Line   int // from 1
	Reason string
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// TextLen is the length of what AppendText appends.
func TextLen(secrets []Secret) int {
	n := 0
	for _, s := range secrets {
		n += len(s.Name) + len("=\n")
		if isPlain(s.Value) {
			n += len(s.Value)
		} else {
			n += jsontext.StringLen(s.Value)
		}
	}
	return n
}

// AppendText appends a line for each secret. It allocates nothing where dst has room for TextLen more bytes.
func AppendText(dst []byte, secrets []Secret) []byte {
	for _, s := range secrets {
		dst = append(append(dst, s.Name...), '=')
		if isPlain(s.Value) {
			dst = append(dst, s.Value...)
		} else {
			dst = jsontext.AppendString(dst, s.Value)
		}
		dst = append(dst, '\n')
	}
	return dst
}

// isPlain tells whether a value can stand without quotes: on one line, with nothing that cannot be seen, and no quote in front that
// would be taken for one around it.
func isPlain(value []byte) bool {
	if len(value) == 0 {
		return true
	}
	if first, last := value[0], value[len(value)-1]; first == '"' || first == ' ' || last == ' ' {
		return false
	}
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			return false
		}
		i += size
	}
	return true
}

// ParseText reads what AppendText wrote, as somebody has changed it. Values that were in quotes stand in the arena's memory, the others in src.
// The error is a *LineError, or the arena's.
func ParseText(src []byte, memory *lockedmem.Arena) ([]Secret, error) {
	var secrets []Secret
	lines := make(map[string]int)
	number := 0
	for line := range bytes.SplitSeq(bytes.TrimPrefix(src, []byte("\ufeff")), []byte{'\n'}) {
		number++
		line = bytes.TrimSuffix(line, []byte{'\r'})
		trimmed := bytes.TrimLeft(line, " \t")
		if len(trimmed) == 0 || trimmed[0] == '#' {
			continue
		}
		name, value, found := bytes.Cut(trimmed, []byte{'='})
		if !found {
			return nil, &LineError{number, "there is no '=' behind a name; a value of several lines stands in double quotes, with \\n for each newline"}
		}
		s := Secret{Name: string(bytes.TrimRight(name, " \t")), Value: value}
		if before, twice := lines[s.Name]; twice {
			return nil, &LineError{number, fmt.Sprintf("the name stands on line %d already", before)}
		}
		lines[s.Name] = number
		if len(value) > 0 && value[0] == '"' {
			var err error
			if s.Value, err = unquote(bytes.TrimRight(value, " \t"), number, memory); err != nil {
				return nil, err
			}
		}
		secrets = append(secrets, s)
	}
	return secrets, nil
}

// LineOf finds the line of a name in a text, or 0.
func LineOf(src []byte, name string) int {
	number := 0
	for line := range bytes.SplitSeq(src, []byte{'\n'}) {
		number++
		before, _, found := bytes.Cut(bytes.TrimLeft(line, " \t"), []byte{'='})
		if found && string(bytes.TrimRight(before, " \t")) == name {
			return number
		}
	}
	return 0
}

func unquote(quoted []byte, line int, memory *lockedmem.Arena) ([]byte, error) {
	place, err := memory.Take(len(quoted))
	if err != nil {
		return nil, err
	}
	value, ok := jsontext.AppendUnquoted(place[:0], quoted)
	if !ok {
		return nil, &LineError{line, "the value begins with a double quote, but is no JSON string; write \\\" for a quote and \\\\ for a backslash"}
	}
	return value, nil
}
