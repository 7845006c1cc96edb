// Package matcher finds values, and the usual encodings of them, in bytes.
//
// A [Builder] takes the values, a [Set] of them is asked by [Set.Find], any number of goroutines at a time. What is looked for is each
// value as it is (with either end of line), escaped for JSON, for URLs and for shells, in hexadecimal, in base64 at all three
// alignments, and, of a PEM, line by line. encodings.go has them all.
//
// All that is made of the values stands in locked memory until [Set.Destroy]: some ten times the length of the values, and a
// table of 16 KiB or, for many, of some bytes for each. There is no automaton. A table tells how far the next value can be at
// the least (the algorithm of Wu and Manber, "A fast algorithm for multi-pattern searching", 1994), so that most bytes are never
// looked at; where one can begin, a hash of its first bytes leads to a binary search among the encodings, which are sorted.
package matcher

import (
	"bytes"
	"encoding/binary"
	"sort"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/redact"
)

// MinBytes is the length from which on a value is looked for. Shorter ones occur by chance, and to mark all of them would make
// a text unreadable.
const MinBytes = 8

// pattern is one encoding of one or more values.
type pattern struct {
	text   []byte // in locked memory
	parent int32  // the longest other pattern that this one begins with, or -1
	owner  int32  // the first secret whose it is
}

// Set is what is looked for.
type Set struct {
	redact.Value
	names    []string
	patterns []pattern       // sorted by text
	shared   map[int][]int32 // the further secrets of a pattern that is of several
	longest  int
	texts    lockedmem.Arena
	skips    skipTable
	prefixes prefixTable
}

// Match is a place where values are. Of several that begin at one place it is the longest.
type Match struct {
	Start, End int
	pattern    int
}

// Names are the names of the secrets whose value is at the match, in the order in which they were added. There are several
// only where values are equal.
func (s *Set) Names(m Match) []string {
	names := []string{s.names[s.patterns[m.pattern].owner]}
	for _, owner := range s.shared[m.pattern] {
		names = append(names, s.names[owner])
	}
	return names
}

// Longest is the length of the longest encoding.
func (s *Set) Longest() int { return s.longest }

// Destroy wipes all that was made of the values. It may be called again, and on nil.
func (s *Set) Destroy() {
	if s == nil {
		return
	}
	s.texts.Destroy()
	s.skips.destroy()
	s.prefixes.destroy()
	s.patterns = nil
}

// Find returns the first match in data that begins at from or later. If there is none, Start tells from where on data can be
// the beginning of one that goes on behind its end; final says that nothing comes behind it. Matches do not overlap: the next
// search begins at End.
func (s *Set) Find(data []byte, from int, final bool) (m Match, found bool) {
	if len(s.patterns) == 0 {
		return Match{Start: len(data)}, false
	}
	i := from
	for i+MinBytes <= len(data) {
		if skip := s.skips.at(binary.LittleEndian.Uint32(data[i+MinBytes-blockBytes:])); skip > 0 {
			i += skip
			continue
		}
		first, last := s.prefixes.lookup(binary.LittleEndian.Uint64(data[i:]))
		if first < last {
			best, more := s.at(data[i:], first, last)
			if more && !final {
				return Match{Start: i}, false
			}
			if best >= 0 {
				return Match{i, i + len(s.patterns[best].text), best}, true
			}
		}
		i++
	}
	if final {
		return Match{Start: len(data)}, false
	}
	for ; i < len(data); i++ {
		if _, more := s.at(data[i:], 0, len(s.patterns)); more {
			return Match{Start: i}, false
		}
	}
	return Match{Start: len(data)}, false
}

// at looks among the patterns from first to last for the longest that text begins with, and tells whether more text could make
// it a longer one. Without one best is -1.
func (s *Set) at(text []byte, first, last int) (best int, more bool) {
	after := first + sort.Search(last-first, func(k int) bool { return bytes.Compare(s.patterns[first+k].text, text) > 0 })
	more = after < last && bytes.HasPrefix(s.patterns[after].text, text)
	// What text begins with is, in this order, the pattern before it or one that this pattern begins with.
	for best = after - 1; best >= first; best = int(s.patterns[best].parent) {
		if bytes.HasPrefix(text, s.patterns[best].text) {
			return best, more
		}
	}
	return -1, more
}
