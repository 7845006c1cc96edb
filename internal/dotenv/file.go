package dotenv

import (
	"bytes"
	"iter"
)

// File is a parsed .env file. It refers to the bytes given to Parse, which must
// stay as they are while the File is used.
type File struct {
	// Entries are the statements in file order. Where a name stands several
	// times, the last of them counts; see Effective.
	Entries []Entry

	src []byte
}

// Entry is one statement of a file, or a piece of text that is none, which has
// Err set.
type Entry struct {
	// Name is the variable's name as the reader has it; callers check it against
	// their own rules. It is empty only when Err is set. When Err is set it may be
	// a piece of a broken value: match on it, but print Err, which leaves it out
	// where that could be so.
	Name string

	Line    int // 1-based line on which the statement begins
	EndLine int // 1-based line on which it ends, inclusive

	// Start and End are the byte offsets of the group of whole lines that the
	// statement stands in, line end included. Groups do not overlap; statements
	// of one group have equal offsets.
	Start, End int

	// Value is a copy of the value that belongs to the File, never nil when Err is
	// nil. Wipe zeroes it.
	Value []byte

	// Err is a *DoubtfulError or a *SyntaxError when there is no value to rely on.
	Err error

	// Bare tells that the line is a name and no more: docker compose takes its value from its environment. Err is set.
	Bare bool
	// Stray tells that the text is no assignment, or only looks like one: mostly it is a line of a value of several lines
	// without quotes. Owner is the statement directly above, which it may belong to, or nil.
	Stray bool
	Owner *Entry
	// Cut tells that the value seems to go on in stray text below. It is not to be relied on, although Err may be nil.
	Cut bool

	at                   int      // where the statement begins in src
	valueStart, valueEnd int      // the raw value in src
	refs                 []string // names the readers looked up
	unsettled            bool     // readers do not agree where the group ends or what is in it
}

// Effective yields, in file order, the deciding entry of every name: entries
// that a later one of the same name overrides and entries without a name are
// left out. The Err of an entry may be set.
func (f *File) Effective() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		last := make(map[string]int, len(f.Entries))
		for i := range f.Entries {
			last[f.Entries[i].Name] = i
		}
		for i := range f.Entries {
			e := &f.Entries[i]
			if e.Name == "" || last[e.Name] != i {
				continue
			}
			if !yield(e) {
				return
			}
		}
	}
}

// Wipe zeroes the values of all entries. The names and offsets stay, so that
// Prune and References still work.
func (f *File) Wipe() {
	for i := range f.Entries {
		clear(f.Entries[i].Value)
		f.Entries[i].Value = nil
	}
}

// RawValue returns what stands behind the separator of an entry of f, less a quote at the beginning but with all that follows,
// as a part of the bytes given to Parse. It is for a guess about statements whose Err is set.
func (f *File) RawValue(e *Entry) []byte {
	raw := f.src[e.at:e.End]
	if separator := bytes.IndexAny(raw, "=:"); separator >= 0 {
		return bytes.TrimLeft(bytes.TrimSpace(raw[separator+1:]), "'\"`")
	}
	return nil
}
