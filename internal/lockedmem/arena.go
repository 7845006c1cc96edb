package lockedmem

import (
	"math/bits"
	"unsafe"
)

const (
	// firstChunkBytes is how much an Arena takes at first: within a 64 KiB limit on locked memory.
	firstChunkBytes = 32 << 10

	// maxChunkBytes bounds the growth of chunks. Each has memory mappings of its own, of which a process has
	// some tens of thousands, so they double up to this size.
	maxChunkBytes = 16 << 20

	// largeBytes is from which size on a piece is a buffer of its own, which goes back to the system when it is
	// released. A vault of the largest size holds four thousand of those.
	largeBytes = 256 << 10

	// stepsPerDoubling is in how many steps the sizes of smaller pieces double. A released piece is used again
	// for its own size only, so what lies idle is bounded, however the sizes change; an eighth is lost at most.
	stepsPerDoubling = 8
)

// Arena stores many small secrets in few buffers. What it hands out stays valid until it is released, or Destroy.
type Arena struct {
	chunks []*Buffer
	next   int               // the size of the next chunk
	free   []byte            // the unused end of the last chunk
	spare  map[int][][]byte  // wiped pieces that were released, by their capacity
	large  map[*byte]*Buffer // by their first byte
}

// Copy stores a copy of b and returns it; for an empty b it returns an empty, non-nil slice.
func (a *Arena) Copy(b []byte) ([]byte, error) {
	stored, err := a.Take(len(b))
	copy(stored, b)
	return stored, err
}

// Take returns size bytes of zeros; for a size of 0 an empty, non-nil slice.
func (a *Arena) Take(size int) ([]byte, error) {
	if size == 0 {
		return []byte{}, nil
	}
	take := a.small
	if size >= largeBytes {
		take = a.ownBuffer
	}
	place, err := take(size)
	if err != nil {
		return nil, err
	}
	return place[:size], nil
}

// small returns a piece of a chunk with room for size bytes.
func (a *Arena) small(size int) ([]byte, error) {
	size = pieceBytes(size)
	if spare := a.spare[size]; len(spare) > 0 {
		a.spare[size] = spare[:len(spare)-1]
		return spare[len(spare)-1], nil
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

// pieceBytes rounds a size up to one of the sizes of pieces.
func pieceBytes(size int) int {
	step := max(1<<bits.Len(uint(size-1))/(2*stepsPerDoubling), 1)
	return (size + step - 1) / step * step
}

// ownBuffer returns a buffer for size bytes that is no part of a chunk.
func (a *Arena) ownBuffer(size int) ([]byte, error) {
	b, err := New(size)
	if err != nil {
		return nil, err
	}
	if a.large == nil {
		a.large = make(map[*byte]*Buffer)
	}
	a.large[unsafe.SliceData(b.Bytes())] = b
	return b.Bytes(), nil
}

// Release wipes what Copy returned and lets its memory be used again.
func (a *Arena) Release(stored []byte) {
	if cap(stored) == 0 {
		return
	}
	if first := unsafe.SliceData(stored); a.large[first] != nil {
		a.large[first].Destroy()
		delete(a.large, first)
		return
	}
	stored = stored[:cap(stored)]
	clear(stored)
	if a.spare == nil {
		a.spare = make(map[int][][]byte)
	}
	a.spare[len(stored)] = append(a.spare[len(stored)], stored)
}

// Destroy wipes all that was stored. It may be called again.
func (a *Arena) Destroy() {
	for _, chunk := range a.chunks {
		chunk.Destroy()
	}
	for _, b := range a.large {
		b.Destroy()
	}
	*a = Arena{}
}
