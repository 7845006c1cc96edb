package dotenv

import (
	"bytes"
	"slices"
)

// The lines around a key (RFC 7468, section 2).
var (
	pemBegin = []byte("-----BEGIN ")
	pemEnd   = []byte("-----END ")
)

// pemHeaders are what may stand with a colon inside a key (RFC 1421, section 4.6, and RFC 9580, section 6.2.2).
var pemHeaders = []string{"Proc-Type", "DEK-Info", "Version", "Comment", "Hash", "Charset", "MessageID"}

// markStray marks the text that is no assignment, and the variables whose values seem to go on in it. The
// usual cause is a value of several lines without quotes, such as a key. Readers refuse such a file
// as a whole; taken line by line it would give a value cut short, and pieces of the value as names.
//
// A line NAME=value is an assignment wherever it stands: no line of Base64 has anything behind its = but
// another =.
func markStray(entries []Entry, src []byte) {
	var previous, owner *Entry
	pemUntil, searched := 0, 0 // the end of the key that we are in, and how far the file was searched for it
	for i := range entries {
		e := &entries[i]
		if previous == nil || e.Line > previous.EndLine+1 {
			owner = nil
		}
		insidePEM := e.Start < pemUntil
		behindStray := previous != nil && previous.Stray && e.Line <= previous.EndLine+1
		previous = e
		switch {
		case e.Name == "" && e.Err != nil, insidePEM && e.isPieceOfPEM(src), behindStray && e.endsBase64(src) && !isCapitals(e.Name):
			e.Stray, e.Bare, e.Owner = true, false, owner
			if owner != nil {
				owner.Cut = true
			}
			continue
		case e.Bare:
			owner = nil
			continue
		}
		owner = e
		text := src[e.Start:e.End]
		if bytes.Contains(text, pemBegin) && !bytes.Contains(text, pemEnd) {
			e.Cut = true
			if searched < e.End {
				searched = len(src)
				if at := bytes.Index(src[e.End:], pemEnd); at >= 0 {
					pemUntil = afterLine(src, e.End+at)
					searched = pemUntil
				}
			}
		}
	}
}

// isPieceOfPEM tells whether e, which stands inside a key, belongs to it.
func (e *Entry) isPieceOfPEM(src []byte) bool {
	return e.Bare || e.endsBase64(src) || slices.Contains(pemHeaders, e.Name)
}

// endsBase64 tells whether nothing but another = stands behind the = of e: a setting set to nothing, or the
// last line of some Base64.
func (e *Entry) endsBase64(src []byte) bool {
	_, value, found := bytes.Cut(src[e.at:lineEnd(src, e.at)], []byte{'='})
	value = bytes.TrimSpace(value)
	return found && (len(value) == 0 || string(value) == "=")
}

// isCapitals tells whether a name is in the capitals that names of settings have, and Base64 has not.
func isCapitals(name string) bool {
	for i := range len(name) {
		if !isCapitalWordByte(name[i]) {
			return false
		}
	}
	return true
}

// Duplicate is a name that a file sets several times. The last of them counts.
type Duplicate struct {
	Name  string `json:"name"`
	Lines []int  `json:"lines"` // 1-based, in file order
}

// Duplicates returns the names that are set several times and are safe to show, in the order in which they first
// stand in the file.
func (f *File) Duplicates() []Duplicate {
	lines := make(map[string][]int, len(f.Entries))
	for i := range f.Entries {
		if e := &f.Entries[i]; !e.Stray && !e.Bare && shownName(e.Name, e.unsettled) != "" {
			lines[e.Name] = append(lines[e.Name], e.Line)
		}
	}
	found := []Duplicate{}
	for i := range f.Entries {
		e := &f.Entries[i]
		if of := lines[e.Name]; len(of) > 1 && of[0] == e.Line {
			found = append(found, Duplicate{e.Name, of})
			delete(lines, e.Name)
		}
	}
	return found
}
