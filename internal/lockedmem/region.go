package lockedmem

import (
	"fmt"
	"os"
	"sync"

	"github.com/awnumar/memguard"
)

// region is a piece of memory of its own, between guard pages: what reads or writes past it faults.
type region struct {
	bytes   []byte // as many as were asked for, at the end of the mapping
	mapping mapping

	mu       sync.Mutex // guards what follows
	frozen   bool
	released bool
}

// release wipes the region and gives it back, once: by the second time the system may have given the addresses to
// somebody else.
func (r *region) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.released {
		return
	}
	r.released = true
	if err := r.setReadOnly(false); err == nil { // it fails for no mapping of ours
		memguard.WipeBytes(r.mapping.inner)
	}
	r.mapping.unmap()
}

// setReadOnly makes writing to the region a fault, or allows it again. r.mu is held.
func (r *region) setReadOnly(readOnly bool) error {
	if r.frozen == readOnly {
		return nil
	}
	if err := r.mapping.protect(readOnly); err != nil {
		return fmt.Errorf("lockedmem: cannot protect memory: %w", err)
	}
	r.frozen = readOnly
	return nil
}

// process is the one allocator, because the limit on locked memory is the process's.
var process allocator

type allocator struct {
	mu     sync.Mutex
	reason error // why the first region that could not be locked could not
	slabs  []*slab
}

// alignBytes is what the start of a region's bytes is aligned to.
const alignBytes = 16

// newRegion returns a zeroed region. Where it cannot be locked it may be swapped, but is left out of core dumps
// all the same. a.mu is not held.
func (a *allocator) newRegion(size int) (*region, error) {
	pageSize := os.Getpagesize()
	m, lockErr, err := mapLocked((size + pageSize - 1) / pageSize * pageSize)
	if err != nil {
		return nil, fmt.Errorf("lockedmem: cannot allocate %d bytes: %w", size, err)
	}
	if lockErr != nil {
		a.mu.Lock()
		if a.reason == nil {
			a.reason = lockErr
		}
		a.mu.Unlock()
	}
	start := (len(m.inner) - size) / alignBytes * alignBytes
	return &region{bytes: m.inner[start : start+size : start+size], mapping: m}, nil
}

func (a *allocator) shortfall() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reason
}
