package matcher

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// MaxEncodedBytes is up to which length a value is looked for in its encodings, which take some ten times as much memory. A
// longer one is looked for as it is.
const MaxEncodedBytes = 1 << 20

// Builder collects values. The zero value is ready to use.
type Builder struct {
	set     Set
	short   []string
	large   []string
	scratch *lockedmem.Buffer
	first   int // the first pattern of the value that is being added
}

// Add adds a value, which it copies. One of fewer than MinBytes is not looked for: see Short.
func (b *Builder) Add(name string, value []byte) error {
	if len(value) < MinBytes {
		b.short = append(b.short, name)
		return nil
	}
	b.set.names = append(b.set.names, name)
	b.first = len(b.set.patterns)
	if err := b.forms(value); err != nil {
		return err
	}
	// What `echo` or an editor has put behind a value need not be there when it turns up elsewhere.
	if stem := bytes.TrimRight(value, "\r\n"); len(stem) < len(value) {
		if err := b.forms(stem); err != nil {
			return err
		}
	}
	if len(value) > MaxEncodedBytes {
		b.large = append(b.large, name)
	}
	return nil
}

// forms adds a text as it is and in all encodings.
func (b *Builder) forms(text []byte) error {
	all := encodings
	if len(text) > MaxEncodedBytes {
		all = encodings[:asItIs]
	}
	for _, e := range all {
		if err := b.form(text, e); err != nil {
			return err
		}
	}
	for line := range pemLines(text) {
		if err := b.store(line); err != nil {
			return err
		}
	}
	return nil
}

func (b *Builder) form(text []byte, e encoding) error {
	if size := e.growth*len(text) + encodingSlack; b.scratch == nil || b.scratch.Len() < size {
		b.scratch.Destroy()
		var err error
		if b.scratch, err = lockedmem.New(size); err != nil {
			return err
		}
	}
	return b.store(e.append(b.scratch.Bytes()[:0], text))
}

// store adds a copy of an encoding, unless the value has it already or it is too short.
func (b *Builder) store(encoded []byte) error {
	if len(encoded) < MinBytes {
		return nil
	}
	for _, p := range b.set.patterns[b.first:] {
		if bytes.Equal(p.text, encoded) {
			return nil
		}
	}
	text, err := b.set.texts.Copy(encoded)
	if err != nil {
		return err
	}
	b.set.patterns = append(b.set.patterns, pattern{text: text, owner: int32(len(b.set.names) - 1)})
	return nil
}

// Short are the names of the values that are not looked for, because they have fewer than MinBytes.
func (b *Builder) Short() []string { return b.short }

// Large are the names of the values of more than MaxEncodedBytes, of which no encoding is looked for.
func (b *Builder) Large() []string { return b.large }

// Build returns the set of what was added, to be destroyed by the caller, and leaves the builder empty.
func (b *Builder) Build() (*Set, error) {
	s := b.set
	b.set = Set{}
	b.Destroy()
	s.arrange()
	var err error
	if s.skips, err = newSkipTable(s.patterns); err == nil {
		s.prefixes, err = newPrefixTable(s.patterns)
	}
	if err != nil {
		s.Destroy()
		return nil, err
	}
	return &s, nil
}

// arrange sorts the patterns, makes one of equal ones, and tells each which other it begins with.
func (s *Set) arrange() {
	slices.SortFunc(s.patterns, func(x, y pattern) int { return cmp.Or(bytes.Compare(x.text, y.text), cmp.Compare(x.owner, y.owner)) })
	distinct := s.patterns[:0]
	s.shared = make(map[int][]int32)
	for _, p := range s.patterns {
		if last := len(distinct) - 1; last >= 0 && bytes.Equal(distinct[last].text, p.text) {
			s.shared[last] = append(s.shared[last], p.owner)
			continue
		}
		distinct = append(distinct, p)
	}
	s.patterns = distinct
	parent := int32(-1)
	for i := range s.patterns {
		p := &s.patterns[i]
		for parent >= 0 && !bytes.HasPrefix(p.text, s.patterns[parent].text) {
			parent = s.patterns[parent].parent
		}
		p.parent = parent
		parent = int32(i)
		s.longest = max(s.longest, len(p.text))
	}
}

// Destroy wipes what was added and not built. It may be called again.
func (b *Builder) Destroy() {
	b.set.Destroy()
	b.set = Set{}
	b.scratch.Destroy()
	b.scratch = nil
}
