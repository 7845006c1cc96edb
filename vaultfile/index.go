package vaultfile

import (
	"hash/maphash"
	"math/bits"
)

// Index prepares the vault for many lookups: a lookup then takes the same time however many secrets
// there are. It is for a process that keeps a vault open; one that looks up a few names is served as
// well without. Names and values stay where they are: the index holds hashes of names and positions, 22
// bytes a secret of ordinary memory. It must not be called while another method runs.
func (v *Vault) Index() {
	if v.payload == nil || v.index != nil {
		return
	}
	v.index = newNameIndex(v.entries, v.payload.Bytes())
}

// TryUse is [Vault.Use] for a caller to whom a missing name is no failure: found tells whether f was
// called, and no error value is made where it was not. A closed vault has no names.
func (v *Vault) TryUse(name string, f func(value []byte) error) (found bool, err error) {
	e, ok := v.find(name)
	if !ok {
		return false, nil
	}
	return true, f(e.value(v.payload.Bytes()))
}

// nameIndex is a hash table with linear probing, for which what a lookup costs among many secrets is the
// memory it waits for: the slot, and then the name in the payload, beside which the value stands. The
// slot therefore holds the entry itself, and three quarters of the slots are taken, so that a chain
// stays in a cache line or two and all of them in few pages.
type nameIndex struct {
	seed  maphash.Seed
	slots []indexSlot // one of them at least is free
}

// indexSlot is an entry with a part of its name's hash.
type indexSlot struct {
	nameOffset  uint32
	valueOffset uint32
	valueBytes  uint32
	mark        uint32 // see place; 0 in a free slot, for no name is empty
}

func newNameIndex(entries []entry, payload []byte) *nameIndex {
	x := &nameIndex{
		seed:  maphash.MakeSeed(),
		slots: make([]indexSlot, len(entries)+len(entries)/3+1),
	}
	for _, e := range entries {
		name := e.name(payload)
		slot, mark := x.place(maphash.Bytes(x.seed, name), len(name))
		for x.slots[slot].mark != 0 {
			slot = x.next(slot)
		}
		x.slots[slot] = indexSlot{nameOffset: e.nameOffset, valueOffset: e.valueOffset, valueBytes: e.valueBytes, mark: mark}
	}
	return x
}

// place returns the slot to begin with for a name of that hash and length, and the mark to find there:
// the length in the lowest byte and above it a part of the hash, which spares most looks at other names.
// The slot comes from the upper bits of the hash and the mark from the lower.
func (x *nameIndex) place(hash uint64, nameBytes int) (slot int, mark uint32) {
	upper, _ := bits.Mul64(hash, uint64(len(x.slots)))
	return int(upper), uint32(hash)<<8 | uint32(uint8(nameBytes))
}

func (x *nameIndex) next(slot int) int {
	if slot++; slot < len(x.slots) {
		return slot
	}
	return 0
}

// find returns the entry of that name, if there is one.
func (x *nameIndex) find(name string, payload []byte) (entry, bool) {
	slot, mark := x.place(maphash.String(x.seed, name), len(name))
	for ; x.slots[slot].mark != 0; slot = x.next(slot) {
		s := &x.slots[slot]
		if s.mark != mark {
			continue
		}
		e := entry{nameOffset: s.nameOffset, valueOffset: s.valueOffset, valueBytes: s.valueBytes, nameBytes: uint8(mark)}
		if string(e.name(payload)) == name {
			return e, true
		}
	}
	return entry{}, false
}
