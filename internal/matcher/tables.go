package matcher

import (
	"encoding/binary"
	"math/bits"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// blockBytes is how many bytes the table of skips is asked for at a time. They stand at the end of a window of MinBytes.
const blockBytes = 4

// maxSkip is how far a window moves whose last block begins no encoding and is in none of their beginnings.
const maxSkip = MinBytes - blockBytes + 1

// Sizes of the table of skips: the smallest one stays in the first cache of a processor, the largest in its second or third.
const (
	minSkipBits = 14
	maxSkipBits = 22
	spareBits   = 4 // there are so many times (2^spareBits) as many places as blocks
)

// skipTable tells by a block how far the next encoding can begin behind the window that ends with it.
type skipTable struct {
	memory *lockedmem.Buffer
	skips  []byte
	shift  int
}

func newSkipTable(patterns []pattern) (skipTable, error) {
	size := min(max(bits.Len(uint(len(patterns)*maxSkip))+spareBits, minSkipBits), maxSkipBits)
	memory, err := lockedmem.New(1 << size)
	if err != nil {
		return skipTable{}, err
	}
	t := skipTable{memory, memory.Bytes(), 32 - size}
	for i := range t.skips {
		t.skips[i] = maxSkip
	}
	for _, p := range patterns {
		for at := range maxSkip {
			place := t.place(binary.LittleEndian.Uint32(p.text[at:]))
			t.skips[place] = min(t.skips[place], byte(maxSkip-1-at))
		}
	}
	return t, nil
}

func (t *skipTable) place(block uint32) uint32 {
	const knuth = 2654435761 // 2^32 / golden ratio
	return block * knuth >> (t.shift & 31)
}

func (t *skipTable) at(block uint32) int { return int(t.skips[t.place(block)]) }

func (t *skipTable) destroy() {
	t.memory.Destroy()
	t.skips = nil
}

// prefixTable leads from the first MinBytes bytes of an encoding to all that begin so: an open hash table of entries of three
// numbers, those bytes and a range of the sorted encodings.
type prefixTable struct {
	memory  *lockedmem.Buffer
	entries []byte
	shift   int
}

const (
	entryBytes = 16
	firstAt    = 8  // where in an entry the range begins
	lastAt     = 12 // and ends; 0 marks an empty entry
)

func newPrefixTable(patterns []pattern) (prefixTable, error) {
	size := bits.Len(uint(len(patterns))) + 1 // at the most half full
	memory, err := lockedmem.New(entryBytes << size)
	if err != nil {
		return prefixTable{}, err
	}
	t := prefixTable{memory, memory.Bytes(), 64 - size}
	for first := 0; first < len(patterns); {
		prefix := binary.LittleEndian.Uint64(patterns[first].text)
		last := first + 1
		for last < len(patterns) && binary.LittleEndian.Uint64(patterns[last].text) == prefix {
			last++
		}
		e := t.find(prefix)
		binary.LittleEndian.PutUint64(e, prefix)
		binary.LittleEndian.PutUint32(e[firstAt:], uint32(first))
		binary.LittleEndian.PutUint32(e[lastAt:], uint32(last))
		first = last
	}
	return t, nil
}

// find returns the entry of a prefix, or the empty one where it would stand.
func (t *prefixTable) find(prefix uint64) []byte {
	const golden = 0x9E3779B97F4A7C15 // 2^64 / golden ratio
	at := int(prefix*golden>>(t.shift&63)) * entryBytes
	for {
		e := t.entries[at : at+entryBytes]
		if binary.LittleEndian.Uint64(e) == prefix || binary.LittleEndian.Uint32(e[lastAt:]) == 0 {
			return e
		}
		if at += entryBytes; at == len(t.entries) {
			at = 0
		}
	}
}

// lookup returns the range of the encodings that begin with prefix, an empty one if there are none.
func (t *prefixTable) lookup(prefix uint64) (first, last int) {
	e := t.find(prefix)
	return int(binary.LittleEndian.Uint32(e[firstAt:])), int(binary.LittleEndian.Uint32(e[lastAt:]))
}

func (t *prefixTable) destroy() {
	t.memory.Destroy()
	t.entries = nil
}
