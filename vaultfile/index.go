package vaultfile

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// Index prepares the vault for many lookups: a lookup then takes the same time however many secrets
// there are. It is for a process that keeps a vault open; one that looks up a few names is served as
// well without. Values stay where they are: the index holds names and positions, 48 bytes a secret of
// ordinary memory. It must not be called while another method runs.
func (v *Vault) Index() {
	if v.payload == nil || v.index != nil {
		return
	}
	v.index = newNameIndex(v.entries, v.payload)
}

// TryUse is [Vault.Use] for a caller to whom a missing name is no failure: found tells whether f was
// called, and no error value is made where it was not. A closed vault has no names.
func (v *Vault) TryUse(name string, f func(value []byte) error) (found bool, err error) {
	value, ok := v.find(name)
	if !ok {
		return false, nil
	}
	return true, f(value)
}

// nameIndex is a hash table with linear probing. What a lookup costs among many secrets is the memory it
// waits for. So all that it needs stands in the slot, the name as well unless it is long, and two slots
// fill a cache line.
type nameIndex struct {
	seed  maphash.Seed
	slots []indexSlot // one of them at least is free
}

// indexSlot is an entry with its name. In a free one nameBytes is 0, for no name is empty.
type indexSlot struct {
	valueOffset uint32
	valueBytes  uint32
	nameBytes   uint8
	name        [inlineNameBytes]byte // of a longer name its beginning, and in the last four bytes its offset
}

const (
	inlineNameBytes = 23 // makes a slot 32 bytes

	// A third of the slots stay free, so that a chain is seldom longer than a cache line.
	slotsPerTwoEntries = 3
)

func newNameIndex(entries []entry, payload []byte) *nameIndex {
	x := &nameIndex{
		seed:  maphash.MakeSeed(),
		slots: make([]indexSlot, len(entries)*slotsPerTwoEntries/2+1),
	}
	for _, e := range entries {
		name := e.name(payload)
		slot := x.start(maphash.Bytes(x.seed, name))
		for x.slots[slot].nameBytes != 0 {
			slot = x.next(slot)
		}
		x.slots[slot] = newIndexSlot(e, name)
	}
	return x
}

func newIndexSlot(e entry, name []byte) indexSlot {
	s := indexSlot{valueOffset: e.valueOffset, valueBytes: e.valueBytes, nameBytes: e.nameBytes}
	copy(s.name[:], name)
	if len(name) > inlineNameBytes {
		binary.NativeEndian.PutUint32(s.name[inlineNameBytes-4:], e.nameOffset)
	}
	return s
}

// is tells whether the slot has the entry of that name.
func (s *indexSlot) is(name string, payload []byte) bool {
	if int(s.nameBytes) != len(name) {
		return false
	}
	if len(name) <= inlineNameBytes {
		return string(s.name[:len(name)]) == name
	}
	beginning := inlineNameBytes - 4
	return string(s.name[:beginning]) == name[:beginning] && string(payload[s.nameOffset():][:len(name)]) == name
}

// nameOffset is where a long name stands in the payload.
func (s *indexSlot) nameOffset() uint32 {
	return binary.NativeEndian.Uint32(s.name[inlineNameBytes-4:])
}

// start returns the slot to begin with for a name of that hash.
func (x *nameIndex) start(hash uint64) int {
	upper, _ := bits.Mul64(hash, uint64(len(x.slots)))
	return int(upper)
}

func (x *nameIndex) next(slot int) int {
	if slot++; slot < len(x.slots) {
		return slot
	}
	return 0
}

// find returns where the value of that name stands, if there is one.
func (x *nameIndex) find(name string, payload []byte) (value []byte, ok bool) {
	for slot := x.start(maphash.String(x.seed, name)); x.slots[slot].nameBytes != 0; slot = x.next(slot) {
		if s := &x.slots[slot]; s.is(name, payload) {
			end := s.valueOffset + s.valueBytes
			return payload[s.valueOffset:end:end], true
		}
	}
	return nil, false
}
