package dotenv

import (
	"bytes"
	"slices"
)

// Prune appends to dst the file without the statements of all names for which
// remove returns true, and returns the extended slice. A statement goes with
// its whole lines, so with a comment behind it and with every line of a
// multi-line value; every duplicate of a name goes. Every other byte is kept. The
// result is never longer than the file, and Prune does not allocate if dst has
// room for that.
//
// Both readers in Strict, and the reader of the dialect in another, find in the
// result the statements they found before, less those removed. Whether their values
// stay is for References to say.
//
// The error is a *PruneError, and dst is returned as it was, where a statement
// to be removed shares a line with one that stays, where it stands in text whose
// division into statements is doubtful, or where a byte order mark would come to
// stand first. An entry without a name is never removed.
func (f *File) Prune(dst []byte, remove func(name string) bool) ([]byte, error) {
	before, kept := len(dst), 0
	var first *Entry // of those that go
	for i := 0; i < len(f.Entries); {
		group := f.groupAt(i)
		i += len(group)
		goes, err := groupGoes(group, remove)
		if err != nil {
			return dst[:before], err
		}
		if goes {
			if first == nil {
				first = &group[0]
			}
			dst = append(dst, f.src[kept:group[0].Start]...)
			kept = group[0].End
		}
	}
	dst = append(dst, f.src[kept:]...)
	if first != nil && f.getsMark(dst[before:]) {
		return dst[:before], &PruneError{Line: first.Line, Name: shownName(first.Name, false), Reason: "a byte order mark would become the first thing in the file"}
	}
	return dst, nil
}

// getsMark tells whether out, what is left of the file, begins with a byte order mark that stood
// further down and meant nothing there.
func (f *File) getsMark(out []byte) bool {
	return bytes.HasPrefix(out, utf8BOM) && !bytes.HasPrefix(f.src, utf8BOM) || findUTF16(out) >= 0
}

// groupAt returns the entries that share their lines with entry i, the first of
// them.
func (f *File) groupAt(i int) []Entry {
	end := i + 1
	for end < len(f.Entries) && f.Entries[end].Start == f.Entries[i].Start {
		end++
	}
	return f.Entries[i:end]
}

// groupGoes reports whether the lines of group are to be removed.
func groupGoes(group []Entry, remove func(name string) bool) (bool, error) {
	first, count, unsettled := -1, 0, false
	for i, e := range group {
		unsettled = unsettled || e.unsettled
		if e.Name != "" && remove(e.Name) {
			count++
			if first < 0 {
				first = i
			}
		}
	}
	if count == 0 {
		return false, nil
	}
	e := group[first]
	reason := ""
	switch {
	case unsettled:
		reason = "readers do not agree where it ends"
	case count < len(group):
		reason = "another statement stands on the same line"
	default:
		return true, nil
	}
	return false, &PruneError{Line: e.Line, Name: shownName(e.Name, unsettled), Reason: reason}
}

// Reference is a statement that uses the value of another.
type Reference struct {
	Line   int    // 1-based line on which the referring statement begins
	Name   string // its name, empty where there is none that is safe to show
	Target string // the name it refers to
}

// References returns, in file order, the statements that would stay after Prune with
// the same remove and that refer, as $NAME or ${NAME}, to one that would go: their
// values may change. It looks at the text and at what the readers looked up, and
// so may name one too many, such as a reference that a backslash disarms for some
// readers, but none too few.
func (f *File) References(remove func(name string) bool) []Reference {
	var found []Reference
	gone := make(map[string]bool)
	for _, e := range f.Entries {
		if e.Name != "" && remove(e.Name) {
			gone[e.Name] = true
			continue
		}
		if len(gone) == 0 {
			continue
		}
		for _, target := range f.targets(e) {
			if gone[target] {
				found = append(found, Reference{
					Line: e.Line, Name: shownName(e.Name, e.unsettled), Target: target,
				})
			}
		}
	}
	return found
}

// targets returns the distinct names that e may refer to, sorted.
func (f *File) targets(e Entry) []string {
	raw := f.src[e.valueStart:e.valueEnd]
	names := slices.Clone(e.refs)
	if e.Err != nil || len(raw) == 0 || raw[0] != '\'' {
		names = appendNamed(names, raw)
		// godotenv drops backslashes in double quotes before it looks for variables.
		names = appendNamed(names, bytes.ReplaceAll(raw, []byte(`\`), nil))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// appendNamed appends what stands behind each $ of text, as either reader would end the name.
func appendNamed(names []string, text []byte) []string {
	for {
		at := bytes.IndexByte(text, '$')
		if at < 0 {
			return names
		}
		text = text[at+1:]
		rest := bytes.TrimLeft(text, "({")
		// godotenv ends a name before the first small letter, compose-go does not.
		capitals, word := 0, 0
		for word < len(rest) && isWordByte(rest[word]) {
			if capitals == word && isCapitalWordByte(rest[word]) {
				capitals++
			}
			word++
		}
		names = append(names, string(rest[:capitals]), string(rest[:word]))
	}
}
