package lockedmem

import (
	"fmt"
	"os"
	"sync"

	"github.com/awnumar/memcall"
	"github.com/awnumar/memguard"
)

// region is a piece of memory of its own, between guard pages where it could be locked.
type region struct {
	bytes    []byte
	guarded  *memguard.LockedBuffer // nil for the fallback
	fallback []byte                 // the fallback's whole mapping
}

// release wipes the region and gives it back.
func (r *region) release() {
	if r.guarded != nil {
		r.guarded.Destroy()
		return
	}
	clear(r.fallback)
	_ = memcall.Free(r.fallback) // wiped already; a mapping that stays costs only address space
}

// process is the one allocator, because the limit on locked memory is the process's.
var process allocator

type allocator struct {
	mu     sync.Mutex // between the probe and memguard's own allocation; guards the rest as well
	reason error      // why the first region that could not be locked could not
	slabs  []*slab
}

// probeSlackPages is probed beyond the region itself: memguard rounds up and places a canary.
const probeSlackPages = 2

// newRegion returns a zeroed region. a.mu is held.
func (a *allocator) newRegion(size int) (*region, error) {
	pageSize := os.Getpagesize()
	regionBytes := (size/pageSize + 1 + probeSlackPages) * pageSize
	if err := lockable(regionBytes); err != nil {
		if a.reason == nil {
			a.reason = err
		}
		return newUnlocked(size, regionBytes)
	}
	guarded := memguard.NewBuffer(size)
	return &region{bytes: guarded.Bytes(), guarded: guarded}, nil
}

// newUnlocked returns the fallback: memory that may be swapped, but is left out of core dumps.
func newUnlocked(size, regionBytes int) (*region, error) {
	mapping, err := memcall.Alloc(regionBytes)
	if err != nil {
		return nil, fmt.Errorf("lockedmem: cannot allocate %d bytes: %w", size, err)
	}
	// The lock will be refused again, but memcall leaves the mapping out of core dumps on the way.
	_ = memcall.Lock(mapping)
	return &region{bytes: mapping[:size:size], fallback: mapping}, nil
}

func (a *allocator) shortfall() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reason
}
