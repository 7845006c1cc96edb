package vaultfile

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/jsontext"
)

// entry locates one secret in the decoded payload. Offsets fit 32 bits because MaxFileBytes does.
type entry struct {
	nameOffset  uint32
	valueOffset uint32
	valueBytes  uint32
	nameBytes   uint8
}

func (e entry) name(payload []byte) []byte {
	return payload[e.nameOffset : e.nameOffset+uint32(e.nameBytes)]
}

func (e entry) value(payload []byte) []byte {
	end := e.valueOffset + e.valueBytes
	return payload[e.valueOffset:end:end]
}

// decodePayload reads a JSON object of names to strings in place: the strings are unescaped where
// they stand (no JSON escape is shorter than what it means), so that no value is copied. The entries
// come sorted by name. The error is a *PayloadError.
//
// Where front is wanted, the entries of the tool that stand in order in front of all others are stepped over: checked, left as
// they are, and not among the entries. front is where they end, or 0.
//
// It is our own decoder because those of libraries copy values to the heap and quote them in errors.
// It reads all of RFC 8259 that a flat object of strings can contain, and refuses what the format
// refuses: duplicate names, other values than strings, invalid UTF-8, lone surrogates, trailing data.
func decodePayload(payload []byte, stepOver bool) (entries []entry, front int, err error) {
	d := decoder{src: payload, stepOver: stepOver}
	if err := d.object(); err != nil {
		return nil, 0, err
	}
	return d.entries, d.front, nil
}

// countMembers returns how many members a payload without white space has: the quotes of values in values are escaped.
func countMembers(payload []byte) int {
	const most = 1 << 20
	return min(bytes.Count(payload, []byte(`":"`)), most)
}

type decoder struct {
	src       []byte
	pos       int
	now       line // where pos is
	begun     line // where the present member begins
	entries   []entry
	unsorted  bool
	takesNull bool // in the place of a value

	takesReferences bool            // likewise
	references      map[string]bool // the names of those

	stepOver bool
	front    int // where what was stepped over ends
}

// line is a line of the source. No raw newline is valid anywhere but in white space, so that those are counted
// which are stepped over there.
type line struct {
	before int // lines before it
	start  int // its offset
}

// errorAt makes an error for a place in the present member, or behind it.
func (d *decoder) errorAt(pos int, reason Reason, name []byte) error {
	at := d.now
	if pos < at.start {
		at = d.begun
	}
	return &PayloadError{Reason: reason, Line: at.before + 1, Column: pos - at.start + 1, Name: clip(string(name))}
}

// unexpected reports that something else than what the grammar wants stands at the current position.
func (d *decoder) unexpected(reason Reason, name []byte) error {
	if d.pos >= len(d.src) {
		reason = ReasonTruncated
	}
	return d.errorAt(d.pos, reason, name)
}

func (d *decoder) skipSpace() {
	for ; d.pos < len(d.src); d.pos++ {
		switch d.src[d.pos] {
		case ' ', '\t', '\r':
		case '\n':
			d.now = line{d.now.before + 1, d.pos + 1}
		default:
			return
		}
	}
}

// accept steps over c and the white space before it, if c comes next.
func (d *decoder) accept(c byte) bool {
	d.skipSpace()
	if d.pos < len(d.src) && d.src[d.pos] == c {
		d.pos++
		return true
	}
	return false
}

func (d *decoder) object() error {
	d.skipSpace()
	if d.pos == len(d.src) {
		return d.errorAt(d.pos, ReasonNoPayload, nil)
	}
	if !d.accept('{') {
		return d.errorAt(d.pos, ReasonNotObject, nil)
	}
	ended := d.accept('}')
	start, startLine := d.pos, d.now
	if d.stepOver && !ended {
		ended = d.stepOverFront()
	}
	d.entries = make([]entry, 0, countMembers(d.src[d.pos:]))
	if !ended {
		if err := d.members(); err != nil {
			return err
		}
	}
	d.skipSpace()
	if d.pos < len(d.src) {
		return d.errorAt(d.pos, ReasonTrailingData, nil)
	}
	if d.front > 0 && slices.ContainsFunc(d.entries, func(e entry) bool { return d.src[e.nameOffset] == reservedByte && isStepped(e.name(d.src)) }) {
		d.front, d.pos, d.now = 0, start, startLine // out of order: one of them may be a duplicate
		if err := d.members(); err != nil {
			return err
		}
	}
	return d.sortEntries()
}

// members reads members up to the object's end, or up to one that has been read.
func (d *decoder) members() error {
	again := len(d.entries) > 0
	first := 0
	if again {
		first = int(d.entries[0].nameOffset) - len(`"`)
		d.unsorted = true
	}
	for {
		if err := d.member(); err != nil {
			return err
		}
		if d.accept(',') {
			if d.skipSpace(); again && d.pos == first {
				return nil
			}
			continue
		}
		if d.accept('}') {
			return nil
		}
		return d.unexpected(ReasonSyntax, d.entries[len(d.entries)-1].name(d.src))
	}
}

// member reads one `"NAME": "value"`. The name goes into an error only behind its colon, for a string
// anywhere else may be a value that slipped.
func (d *decoder) member() error {
	d.skipSpace()
	nameStart := d.pos
	d.begun = d.now
	nameOffset, nameEnd, err := d.str(nil)
	if err != nil {
		return err
	}
	if !d.accept(':') {
		return d.unexpected(ReasonSyntax, nil)
	}
	name := d.src[nameOffset:nameEnd]
	if nameProblem(name) != "" {
		return d.errorAt(nameStart, ReasonBadName, name)
	}
	d.skipSpace()
	found := entry{nameOffset: uint32(nameOffset), nameBytes: uint8(len(name))}
	if err := d.checkOrder(nameStart, name); err != nil {
		return err
	}
	if d.acceptNull(found) {
		return nil
	}
	if is, err := d.acceptReference(found, name); is || err != nil {
		return err
	}
	if d.pos < len(d.src) && d.src[d.pos] != '"' && startsValue(d.src[d.pos]) {
		return d.errorAt(d.pos, ReasonNotString, name)
	}
	valueOffset, valueEnd, err := d.str(name)
	if err != nil {
		return err
	}
	if valueEnd-valueOffset > MaxValueBytes {
		return d.errorAt(valueOffset, ReasonLongValue, name)
	}
	found.valueOffset, found.valueBytes = uint32(valueOffset), uint32(valueEnd-valueOffset)
	d.entries = append(d.entries, found)
	return nil
}

// checkOrder compares a name with the one before it.
func (d *decoder) checkOrder(nameStart int, name []byte) error {
	if n := len(d.entries); n > 0 {
		switch bytes.Compare(d.entries[n-1].name(d.src), name) {
		case 0:
			return d.errorAt(nameStart, ReasonDuplicateName, name)
		case 1:
			d.unsorted = true
		}
	}
	return nil
}

// startsValue tells whether c can begin a JSON value: then the JSON is right and the type is wrong.
func startsValue(c byte) bool {
	return c == '{' || c == '[' || c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f' || c == 'n'
}

// sortEntries brings the entries of an object whose names stood in another order into order, and
// finds the duplicates that did not stand side by side.
func (d *decoder) sortEntries() error {
	if !d.unsorted {
		return nil
	}
	slices.SortFunc(d.entries, func(a, b entry) int {
		if c := bytes.Compare(a.name(d.src), b.name(d.src)); c != 0 {
			return c
		}
		return int(a.nameOffset) - int(b.nameOffset)
	})
	for i := 1; i < len(d.entries); i++ {
		name := d.entries[i].name(d.src)
		if bytes.Equal(d.entries[i-1].name(d.src), name) {
			at := int(d.entries[i].nameOffset) - 1
			d.now = d.lineOf(at)
			return d.errorAt(at, ReasonDuplicateName, name)
		}
	}
	return nil
}

// lineOf finds the line of a place that was passed long ago. Values may have newlines by now, in the place of
// their escapes; they are stepped over.
func (d *decoder) lineOf(pos int) line {
	byOffset := slices.SortedFunc(slices.Values(d.entries), func(a, b entry) int { return int(a.valueOffset) - int(b.valueOffset) })
	var at line
	from := 0
	scan := func(to int) {
		space := d.src[from:to]
		at.before += bytes.Count(space, []byte{'\n'})
		if last := bytes.LastIndexByte(space, '\n'); last >= 0 {
			at.start = from + last + 1
		}
	}
	for _, e := range byOffset {
		if int(e.valueOffset) > pos {
			break
		}
		scan(int(e.valueOffset))
		from = int(e.valueOffset + e.valueBytes)
	}
	scan(pos)
	return at
}

// str reads a string at the current position and unescapes it where it stands. It returns the range
// of the unescaped bytes. name is for the error.
func (d *decoder) str(name []byte) (start, end int, err error) {
	if d.pos >= len(d.src) || d.src[d.pos] != '"' {
		return 0, 0, d.unexpected(ReasonSyntax, name)
	}
	d.pos++
	start, end = d.pos, d.pos
	for d.pos < len(d.src) {
		if n := jsontext.PlainPrefix(d.src[d.pos:]); n > 0 {
			end += d.move(end, d.pos+n)
			continue
		}
		switch c := d.src[d.pos]; {
		case c == '"':
			d.pos++
			return start, end, nil
		case c == '\\':
			n, err := d.escape(end, name)
			if err != nil {
				return 0, 0, err
			}
			end += n
		case c < ' ':
			return 0, 0, d.errorAt(d.pos, ReasonSyntax, name)
		default:
			r, size := utf8.DecodeRune(d.src[d.pos:])
			if r == utf8.RuneError && size == 1 {
				return 0, 0, d.errorAt(d.pos, ReasonInvalidUTF8, name)
			}
			end += d.move(end, d.pos+size)
		}
	}
	return 0, 0, d.errorAt(d.pos, ReasonTruncated, name)
}

// move brings the source up to until to the place to, which is not behind it, and steps over it.
func (d *decoder) move(to, until int) int {
	n := until - d.pos
	if to != d.pos {
		copy(d.src[to:], d.src[d.pos:until])
	}
	d.pos = until
	return n
}

// escape unescapes the sequence at the current position to the place to and returns its length.
func (d *decoder) escape(to int, name []byte) (int, error) {
	at := d.pos
	r, reason := d.escaped()
	switch reason {
	case "":
		return utf8.EncodeRune(d.src[to:], r), nil
	case ReasonTruncated:
		at = d.pos
	}
	return 0, d.errorAt(at, reason, name)
}

// escaped reads an escape at the current position. The reason is "" unless it is none.
func (d *decoder) escaped() (rune, Reason) {
	r, size := jsontext.Escaped(d.src[d.pos:])
	switch {
	case size > 0:
		d.pos += size
		return r, ""
	case r == utf8.RuneError:
		return 0, ReasonInvalidUTF8
	case d.pos+1 >= len(d.src):
		d.pos = len(d.src)
		return 0, ReasonTruncated
	}
	return 0, ReasonSyntax
}
