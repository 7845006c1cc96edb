package lockedmem

import "slices"

// A command needs a dozen small buffers: keys, passphrases, digests, the vault itself if it has a few dozen
// secrets. A region for each would cost it ten system calls and a few page faults apiece, which is more
// than all else it does, so the small ones share regions: slabs, cut into cells.
const (
	slabBytes     = 16 << 10 // within the smallest common limit on locked memory, 64 KiB, several times over
	cellBytes     = 32
	cellsPerSlab  = slabBytes / cellBytes
	maxSmallBytes = 4 << 10
)

// slab is a region shared by small buffers. The allocator's lock guards it.
type slab struct {
	owner  *allocator
	region *region
	taken  [cellsPerSlab]bool
	left   int // cells not taken
}

// cells is the place of one small buffer.
type cells struct {
	slab  *slab
	first int
	count int
}

func (c *cells) bytes() []byte {
	return c.slab.region.bytes[c.first*cellBytes:][:c.count*cellBytes]
}

// small returns zeroed cells for size bytes.
func (a *allocator) small(size int) (*cells, error) {
	count := (size + cellBytes - 1) / cellBytes
	if c := a.fromSlabs(count); c != nil {
		return c, nil
	}
	region, err := a.newRegion(slabBytes)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &slab{owner: a, region: region, left: cellsPerSlab}
	a.slabs = append(a.slabs, s)
	return s.take(0, count), nil
}

// fromSlabs returns cells of a slab that there is, nil where all are full.
func (a *allocator) fromSlabs(count int) *cells {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.slabs {
		if first, ok := s.find(count); ok {
			return s.take(first, count)
		}
	}
	return nil
}

// find returns where the first count free cells in a row begin.
func (s *slab) find(count int) (first int, ok bool) {
	if s.left < count {
		return 0, false
	}
	run := 0
	for i, taken := range s.taken {
		if taken {
			run = 0
			continue
		}
		if run++; run == count {
			return i + 1 - count, true
		}
	}
	return 0, false
}

func (s *slab) take(first, count int) *cells {
	for i := range count {
		s.taken[first+i] = true
	}
	s.left -= count
	return &cells{slab: s, first: first, count: count}
}

// release wipes the cells and gives them back, once, and with the last ones of a slab the slab, unless it is
// the only one: the next small buffer will want it.
func (c *cells) release() {
	s := c.slab
	s.owner.mu.Lock()
	defer s.owner.mu.Unlock()
	if c.count == 0 { // released already: the cells may be another's
		return
	}
	clear(c.bytes())
	for i := range c.count {
		s.taken[c.first+i] = false
	}
	s.left += c.count
	c.count = 0
	if s.left == cellsPerSlab && len(s.owner.slabs) > 1 {
		s.owner.slabs = slices.DeleteFunc(s.owner.slabs, func(other *slab) bool { return other == s })
		s.region.release()
	}
}
