package dotenv

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"
)

// group is what one reader finds from the beginning of a statement to the next
// line on which it is between statements: one statement, or several that share
// lines. The reader gave up at its last statement if that has a fault.
type group struct {
	statements []statement
	next       int // offset of that line, or the length of the file
}

// sameAs reports whether two readers found the same names in the same lines
// without a fault.
func (g group) sameAs(h group) bool {
	if g.next != h.next || len(g.statements) != len(h.statements) {
		return false
	}
	for i, st := range g.statements {
		other := h.statements[i]
		if st.fault != faultNone || other.fault != faultNone || st.name != other.name {
			return false
		}
	}
	return true
}

// group reads the group whose first statement is at offset at. Behind a fault the
// reader goes on with the next line, or nowhere if it looks for a quote.
func (r rules) group(src []byte, at int) group {
	var g group
	for {
		st := r.statement(src, at)
		g.statements = append(g.statements, st)
		switch st.fault {
		case faultNone:
		case faultQuote:
			g.next = len(src)
			return g
		default:
			g.next = afterLine(src, at)
			return g
		}
		next, newLine := skipToStatement(src, st.end, false)
		if newLine {
			g.next = next
			return g
		}
		at = next
	}
}

// skipToStatement skips white space and comments from offset at, which must not be
// inside a statement, as both readers do. With across it returns the offset
// of the next statement or the length of src. Without, it stops at the next line
// if that comes first, and says so.
func skipToStatement(src []byte, at int, across bool) (next int, newLine bool) {
	for at < len(src) {
		r, n := utf8.DecodeRune(src[at:])
		switch {
		case r == '\n' && !across:
			return at + n, true
		case r == '#':
			at = lineEnd(src, at)
			continue
		case !unicode.IsSpace(r):
			return at, false
		}
		at += n
	}
	return at, true
}

// afterLine returns the offset of the line behind the one that offset at is in.
func afterLine(src []byte, at int) int {
	return min(lineEnd(src, at)+1, len(src))
}

// sighting is a name that a reader, or the look of a line, gives to what begins at an
// offset.
type sighting struct {
	offset int
	name   string
}

// region is a run of whole lines in which the readers do not find the same
// statements.
type region struct {
	next int // offset of the line behind it
	seen map[sighting]bool
}

// sightings returns what was seen, by offset and then by name.
func (reg *region) sightings() []sighting {
	return slices.SortedFunc(maps.Keys(reg.seen), func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.name, b.name))
	})
}

// disputed extends groups, which the readers found at the same offset and which
// differ or have a fault, to the next line on which all readers are between
// statements.
func disputed(src []byte, readers []rules, groups []group) region {
	reg := region{seen: make(map[sighting]bool)}
	positions := make([]int, len(readers))
	for i, g := range groups {
		positions[i] = reg.add(g)
	}
	for {
		behind := 0
		for i, at := range positions {
			if at < positions[behind] {
				behind = i
			}
		}
		if positions[behind] == reg.next {
			return reg
		}
		at, _ := skipToStatement(src, positions[behind], true)
		if at >= reg.next {
			positions[behind] = reg.next
			continue
		}
		positions[behind] = reg.add(readers[behind].group(src, at))
	}
}

// add takes up the names of g and returns where its reader goes on.
func (reg *region) add(g group) int {
	for _, st := range g.statements {
		if st.fault == faultNone {
			reg.seen[sighting{st.start, st.name}] = true
		}
	}
	reg.next = max(reg.next, g.next)
	return g.next
}

// addLines takes up what looks like a name at the beginning of each line from
// start on, whether or not a reader sees it there.
func (reg *region) addLines(src []byte, start int) {
	for at := start; at < reg.next; at = afterLine(src, at) {
		line := bytes.TrimLeftFunc(src[at:lineEnd(src, at)], unicode.IsSpace)
		offset := lineEnd(src, at) - len(line)
		if name := nameOfLine(line); name != "" {
			reg.seen[sighting{offset, name}] = true
		}
	}
}

// nameOfLine returns the name of an assignment that line, less the blanks before
// it, looks like, or else "". A word that stands alone counts only in the usual
// capitals.
func nameOfLine(line []byte) string {
	if rest, ok := bytes.CutPrefix(line, exportWord); ok && len(rest) > 0 && isBlank(rune(rest[0])) {
		line = bytes.TrimLeftFunc(rest, isBlank)
	}
	n := 0
	for n < len(line) && (isWordByte(line[n]) || line[n] == '.' || line[n] == '-') {
		n++
	}
	name, rest := string(line[:n]), bytes.TrimLeftFunc(line[n:], isBlank)
	switch {
	case len(rest) > 0 && (rest[0] == '=' || rest[0] == ':'):
		return name
	case (len(rest) == 0 || rest[0] == '#') && isConventionalName(name):
		return name
	}
	return ""
}
