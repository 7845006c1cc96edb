package dotenv

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/joho/godotenv"
)

const (
	// maxBraces bounds the ${ in one value. What compose-go does with them grows with
	// their number times the length of the value.
	maxBraces = 64
	// maxExpandedBytes bounds what all references of a file expand to. Lines that
	// each double the one above would fill any memory.
	maxExpandedBytes = 16 << 20
)

// evaluation is what one reader makes of one statement.
type evaluation struct {
	value    []byte
	refs     []string // the names it looked up
	unset    bool     // one of them is not set above
	rejected bool     // the reader gives no value
}

// scope holds the values that one reader has given to the statements so far.
type scope struct {
	values   map[string][]byte
	expanded int // bytes that references have expanded to
}

func newScope() *scope { return &scope{values: make(map[string][]byte)} }

// lookup returns the value of name for an expansion, counting its length.
func (s *scope) lookup(name string) (value []byte, set, affordable bool) {
	value, set = s.values[name]
	if len(value) > maxExpandedBytes-s.expanded {
		return nil, set, false
	}
	s.expanded += len(value)
	return value, set, true
}

// set notes what a reader gives to name, or that it gives nothing.
func (s *scope) set(name string, e evaluation) {
	if e.rejected {
		delete(s.values, name)
		return
	}
	s.values[name] = e.value
}

// evaluator is one reader's way from a statement to its value. The reader is
// given that one statement and what it refers to, never the whole file.
type evaluator func(src []byte, st statement, s *scope) evaluation

// guarded turns a panic of a reader into a rejection. The panic's text is
// dropped, because it could hold a part of the value.
func (ev evaluator) guarded(src []byte, st statement, s *scope) (e evaluation) {
	defer func() {
		if recover() != nil {
			e = evaluation{rejected: true}
		}
	}()
	if value, ok := plainValue(src, st); ok {
		return evaluation{value: value}
	}
	if braces(src[st.value:st.end]) > maxBraces {
		return evaluation{rejected: true}
	}
	return ev(src, st, s)
}

// plainValue returns the value of a statement in which nothing is special to any reader, as a part of src: NAME=value in
// printable ASCII, or with single quotes. To ask the readers about each such statement would take most of the time
// and memory of Parse. FuzzParse holds it to what the readers say.
func plainValue(src []byte, st statement) ([]byte, bool) {
	if st.value != st.start+len(st.name)+len("=") {
		return nil, false // an export, or blanks
	}
	raw := bytes.TrimRight(src[st.value:st.end], " \t\r")
	switch {
	case len(raw) == 0:
		return []byte{}, true
	case raw[0] == '\'':
		inside := raw[1 : len(raw)-1]
		return inside, !bytes.ContainsAny(inside, "'\\\r")
	case raw[0] == '"':
		return nil, false
	}
	for _, c := range raw {
		if c < ' ' || c > '~' || c == '$' || c == '\\' || c == '#' {
			return nil, false
		}
	}
	return raw, true
}

// braces counts the ${ in a raw value that a reader may expand, and the \0 with
// which compose-go's octal escapes begin, because such an escape can stand for a $ or
// a brace.
func braces(raw []byte) int {
	if len(raw) == 0 || raw[0] == '\'' {
		return 0
	}
	n, escapes := 0, raw[0] == '"'
	for i := 0; i+1 < len(raw); i++ {
		switch {
		case raw[i] == '$' && raw[i+1] == '{':
			n++
		case raw[i] == '\\' && escapes:
			i++
			if raw[i] == '0' {
				n++
			}
		}
	}
	return n
}

func evaluateLiteral(src []byte, st statement, _ *scope) evaluation {
	return evaluation{value: bytes.Clone(literalValue(src, st))}
}

// evaluateGodotenv has godotenv parse the statement behind assignments of the
// names it may refer to. Expansion is the last thing godotenv does to a value and
// it does not look at what it puts in. So marks stand in for the real values,
// which might not be expressible in a file, and are replaced in the result. The
// marks also show which names were really referred to.
func evaluateGodotenv(src []byte, st statement, s *scope) evaluation {
	text := src[st.start:st.end]
	names := godotenvReferences(src[st.value:st.end])
	var input []byte
	mark := ""
	if len(names) > 0 {
		var ok bool
		if mark, ok = unusedMark(text); !ok {
			return evaluation{rejected: true}
		}
	}
	for i, name := range names {
		input = append(input, name...)
		input = append(input, "='"...)
		input = append(input, mark...)
		input = strconv.AppendInt(input, int64(i), 10)
		input = append(input, markEnd...)
		input = append(input, "'\n"...)
	}
	vars, err := godotenv.UnmarshalBytes(append(input, text...))
	if err != nil { // Its text quotes the file.
		return evaluation{rejected: true}
	}
	value, ok := vars[st.name]
	switch {
	case !ok:
		return evaluation{rejected: true}
	case mark == "":
		return evaluation{value: []byte(value)}
	}
	return s.replaceMarks(value, mark, names)
}

// A mark is markEnd, a run of markRun longer than any in the text, the index of a
// name, and markEnd again. Neither character means anything to a reader.
const (
	markEnd = "\x02"
	markRun = '\x01'
)

// unusedMark returns the beginning of a mark, which does not occur in text, nor in
// what becomes of text when backslashes are taken out of it.
func unusedMark(text []byte) (string, bool) {
	const maxRun = 64 // a bound for the length of all marks together
	longest, run := 0, 0
	for _, c := range text {
		switch c {
		case markRun:
			run++
			longest = max(longest, run)
		case '\\':
		default:
			run = 0
		}
	}
	return markEnd + strings.Repeat(string(markRun), longest+1), longest < maxRun
}

// replaceMarks puts the values of names in the place of their marks in value.
func (s *scope) replaceMarks(value, mark string, names []string) evaluation {
	parts := strings.Split(value, mark)
	e := evaluation{value: []byte(parts[0])}
	for _, part := range parts[1:] {
		digits, text, _ := strings.Cut(part, markEnd)
		index, err := strconv.Atoi(digits)
		if err != nil || index >= len(names) {
			return evaluation{rejected: true}
		}
		replacement, set, affordable := s.lookup(names[index])
		if !affordable {
			return evaluation{rejected: true}
		}
		e.refs = append(e.refs, names[index])
		e.unset = e.unset || !set
		e.value = append(e.value, replacement...)
		e.value = append(e.value, text...)
	}
	return e
}

// godotenvReferences returns the distinct names that godotenv may look up in a
// raw value, and perhaps more.
func godotenvReferences(raw []byte) []string {
	if bytes.IndexByte(raw, '$') < 0 || raw[0] == '\'' {
		return nil
	}
	if raw[0] == '"' {
		raw = godotenvUnescape(raw)
	}
	var names []string
	seen := make(map[string]bool)
	for i := 0; i < len(raw); i++ {
		if raw[i] != '$' {
			continue
		}
		rest := bytes.TrimPrefix(raw[i+1:], []byte("("))
		rest = bytes.TrimPrefix(rest, []byte("{"))
		n := 0
		for n < len(rest) && isCapitalWordByte(rest[n]) {
			n++
		}
		if name := string(rest[:n]); n > 0 && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// godotenvUnescape undoes backslashes as godotenv does inside double quotes, in
// its two passes. References are looked for in the result.
func godotenvUnescape(raw []byte) []byte {
	first := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) || raw[i+1] == '\n' {
			first = append(first, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'n':
			first = append(first, '\n')
		case 'r':
			first = append(first, '\r')
		default:
			first = append(first, '\\', raw[i])
		}
	}
	second := first[:0]
	for i := 0; i < len(first); i++ {
		if first[i] == '\\' && i+1 < len(first) && first[i+1] != '$' {
			i++
		}
		second = append(second, first[i])
	}
	return second
}

// setOnlyOperator matches the ${NAME-…}, ${NAME+…} and ${NAME?…} forms, which
// tell a variable that is empty from one that is not set, and \0, with which one can
// be written as escapes.
var setOnlyOperator = regexp.MustCompile(`\{[_a-zA-Zſ\x{212A}][_a-zA-Z0-9ſ\x{212A}]*[-+?]|\\0`)

// evaluateCompose has compose-go parse the statement. The lookup always says that a
// name is set, because compose-go logs a name that is not, and what it takes for a
// name can be a piece of a password.
func evaluateCompose(src []byte, st statement, s *scope) evaluation {
	var e evaluation
	lookup := func(name string) (string, bool) {
		value, set, affordable := s.lookup(name)
		e.rejected = e.rejected || !affordable
		e.unset = e.unset || !set
		e.refs = append(e.refs, strings.Clone(name)) // name is a part of the statement, and would keep it alive
		return string(value), true
	}
	vars, err := dotenv.UnmarshalBytesWithLookup(src[st.start:st.end], lookup)
	if err != nil { // Its text quotes the file.
		return evaluation{rejected: true}
	}
	value, ok := vars[st.name]
	if !ok || e.rejected {
		return evaluation{rejected: true}
	}
	if e.unset && setOnlyOperator.Match(src[st.value:st.end]) {
		return evaluation{rejected: true}
	}
	e.value = []byte(value)
	return e
}
