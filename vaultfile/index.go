package vaultfile

import (
	"hash/maphash"
	"math/bits"
)

// Index prepares the vault for many lookups: a lookup then takes the same time however many secrets
// there are. It is for a process that keeps a vault open; one that looks up a few names is served as
// well without. Names and values stay where they are: the index holds hashes of names and positions, 16
// to 32 bytes a secret of ordinary memory. It must not be called while another method runs.
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

// nameIndex is a hash table with linear probing. At most half of its slots are taken.
type nameIndex struct {
	seed  maphash.Seed
	slots []indexSlot // a power of two
}

// indexSlot is free when position is 0.
type indexSlot struct {
	check    uint32 // upper half of the name's hash: spares most looks at names that differ
	position uint32 // in the entries, from 1
}

// slotsPerEntry keeps the chains short.
const slotsPerEntry = 2

func newNameIndex(entries []entry, payload []byte) *nameIndex {
	x := &nameIndex{
		seed:  maphash.MakeSeed(),
		slots: make([]indexSlot, 1<<bits.Len(uint(slotsPerEntry*len(entries)))),
	}
	for i, e := range entries {
		slot, check := x.place(maphash.Bytes(x.seed, e.name(payload)))
		for x.slots[slot].position != 0 {
			slot = x.next(slot)
		}
		x.slots[slot] = indexSlot{check: check, position: uint32(i + 1)}
	}
	return x
}

// place returns the slot to begin with for a name's hash, and the check to find there.
func (x *nameIndex) place(hash uint64) (slot int, check uint32) {
	return int(hash & uint64(len(x.slots)-1)), uint32(hash >> 32)
}

func (x *nameIndex) next(slot int) int { return (slot + 1) & (len(x.slots) - 1) }

// find returns the entry of that name, if there is one.
func (x *nameIndex) find(name string, entries []entry, payload []byte) (entry, bool) {
	slot, check := x.place(maphash.String(x.seed, name))
	for ; x.slots[slot].position != 0; slot = x.next(slot) {
		if x.slots[slot].check != check {
			continue
		}
		if e := entries[x.slots[slot].position-1]; string(e.name(payload)) == name {
			return e, true
		}
	}
	return entry{}, false
}
