package lockedmem

// arenaChunkBytes is how much an Arena takes at a time: large enough that a hundred thousand small
// secrets cost a few hundred system calls, small enough for a 64 KiB limit on locked memory.
const arenaChunkBytes = 32 << 10

// Arena stores many small secrets in few buffers. What it hands out stays valid until Destroy.
type Arena struct {
	chunks []*Buffer
	free   []byte // the unused end of the last chunk
}

// Copy stores a copy of b and returns it; for an empty b it returns an empty, non-nil slice.
func (a *Arena) Copy(b []byte) ([]byte, error) {
	if len(b) > len(a.free) {
		chunk, err := New(max(len(b), arenaChunkBytes))
		if err != nil {
			return nil, err
		}
		a.chunks = append(a.chunks, chunk)
		a.free = chunk.Bytes()
	}
	stored := a.free[:len(b):len(b)]
	a.free = a.free[len(b):]
	copy(stored, b)
	if stored == nil {
		stored = []byte{}
	}
	return stored, nil
}

// Destroy wipes all that was stored. It may be called again.
func (a *Arena) Destroy() {
	for _, chunk := range a.chunks {
		chunk.Destroy()
	}
	a.chunks, a.free = nil, nil
}
