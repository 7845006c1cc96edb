package lockedmem

const (
	// firstChunkBytes is how much an Arena takes at first: within a 64 KiB limit on locked memory.
	firstChunkBytes = 32 << 10

	// maxChunkBytes bounds the growth of chunks. Each has memory mappings of its own, of which a process has
	// some tens of thousands, so they double up to this size.
	maxChunkBytes = 16 << 20

	// spareSearch is among how many of the last released pieces Copy looks for one that fits.
	spareSearch = 16
)

// Arena stores many small secrets in few buffers. What it hands out stays valid until it is released, or Destroy.
type Arena struct {
	chunks []*Buffer
	next   int      // the size of the next chunk
	free   []byte   // the unused end of the last chunk
	spare  [][]byte // wiped pieces that were given back
}

// Copy stores a copy of b and returns it; for an empty b it returns an empty, non-nil slice.
func (a *Arena) Copy(b []byte) ([]byte, error) {
	place, err := a.take(len(b))
	if err != nil {
		return nil, err
	}
	stored := place[:len(b)]
	copy(stored, b)
	return stored, nil
}

// take returns a piece with room for size bytes, never nil.
func (a *Arena) take(size int) ([]byte, error) {
	if size == 0 {
		return []byte{}, nil
	}
	for i := len(a.spare) - 1; i >= max(0, len(a.spare)-spareSearch); i-- {
		if place := a.spare[i]; cap(place) >= size {
			a.spare = append(a.spare[:i], a.spare[i+1:]...)
			return place, nil
		}
	}
	if size > len(a.free) {
		chunk, err := New(max(size, a.next, firstChunkBytes))
		if err != nil {
			return nil, err
		}
		a.next = min(2*chunk.Len(), maxChunkBytes)
		a.chunks = append(a.chunks, chunk)
		a.free = chunk.Bytes()
	}
	place := a.free[:size:size]
	a.free = a.free[size:]
	return place, nil
}

// Release wipes what Copy returned and lets it be used again.
func (a *Arena) Release(stored []byte) {
	if cap(stored) == 0 {
		return
	}
	stored = stored[:cap(stored)]
	clear(stored)
	a.spare = append(a.spare, stored)
}

// Destroy wipes all that was stored. It may be called again.
func (a *Arena) Destroy() {
	for _, chunk := range a.chunks {
		chunk.Destroy()
	}
	*a = Arena{}
}
