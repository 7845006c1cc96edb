package main

import (
	"bytes"
	"strconv"

	"github.com/mazevault/vault-tool/internal/dotenv"
)

// brokenLines are the lines of a .env file that are not what they seem. The usual cause is a value of
// several lines without quotes, a PEM key say. Readers refuse such a file as a whole; taken line by
// line it would give a value cut short, and pieces of the value, which end in = as Base64 does, as
// names.
type brokenLines struct {
	pieces map[*dotenv.Entry]bool // lines that are no assignments, or only look like one
	cut    map[*dotenv.Entry]bool // variables whose value seems to go on in such lines
}

// The lines around a key (RFC 7468, section 2).
var (
	pemBegin = []byte("-----BEGIN ")
	pemEnd   = []byte("-----END ")
)

func findBrokenLines(file *dotenv.File, src []byte) brokenLines {
	b := brokenLines{pieces: make(map[*dotenv.Entry]bool), cut: make(map[*dotenv.Entry]bool)}
	var previous, owner *dotenv.Entry // owner: the variable that the pieces that come next belong to
	insidePEM := false
	for i := range file.Entries {
		entry := &file.Entries[i]
		text := src[entry.Start:entry.End]
		if previous == nil || entry.Line > previous.EndLine+1 {
			previous, owner, insidePEM = nil, nil, false
		}
		afterPiece := previous != nil && b.pieces[previous]
		previous = entry
		if entry.Name == "" && entry.Err != nil || insidePEM || afterPiece && !isUsualName(entry.Name) {
			b.pieces[entry] = true
			insidePEM = insidePEM && !bytes.Contains(text, pemEnd)
			if owner != nil {
				b.cut[owner] = true
			}
			continue
		}
		owner = entry
		insidePEM = bytes.Contains(text, pemBegin) && !bytes.Contains(text, pemEnd)
		if insidePEM {
			b.cut[entry] = true
		}
	}
	return b
}

// isUsualName tells whether a name is in the capitals that names of settings have, and Base64 has not.
func isUsualName(name string) bool {
	for _, c := range name {
		if c != '_' && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// noteUnmatched notes the --include options that take nothing: they may be misspelt.
func (m *migration) noteUnmatched() {
	for _, glob := range m.options.include {
		matched := false
		for entry := range m.file.Effective() {
			matched = matched || matchesAny([]string{glob}, entry.Name)
		}
		if !matched {
			m.a.note("no variable in %s matches --include %s", m.options.envFile, glob)
		}
	}
}

// noteUnread notes the lines that are not taken because no variable is seen in them: a choice of names
// cannot reach them.
func (m *migration) noteUnread() {
	const mostShown = 10
	var lines []string
	for i := range m.file.Entries {
		entry := &m.file.Entries[i]
		if m.broken.pieces[entry] && !m.choosesByName(entry.Name) {
			lines = append(lines, strconv.Itoa(entry.Line))
		}
	}
	shown := lines
	if len(lines) > mostShown {
		shown = append(lines[:mostShown:mostShown], "…")
	}
	switch len(lines) {
	case 0:
	case 1:
		m.a.note("1 line of %s is not an assignment and stays: %s", m.options.envFile, lines[0])
	default:
		m.a.note("%d lines of %s are not assignments and stay: %s", len(lines), m.options.envFile, join(shown))
	}
}
