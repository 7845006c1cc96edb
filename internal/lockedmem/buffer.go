// Package lockedmem holds secrets outside the garbage-collected heap.
//
// A [Buffer] is memory as memguard's: locked against swapping, between guard pages, left out of core
// dumps, wiped when destroyed. Buffers of up to 4 KiB share such memory. It is taken from the system
// directly, because memguard ends the process where memory cannot be locked, and wipes the buffers of
// everybody. Here a buffer beyond the limit (RLIMIT_MEMLOCK) is plain anonymous memory, left out of core
// dumps and wiped as well. [Shortfall] tells when that happened, for the program to say so once.
//
// Non-guarantees: root, and on a default Linux any process of the same user, can read a process's
// memory while it runs; hibernation writes locked memory to disk.
package lockedmem

import (
	"fmt"

	"github.com/mazevault/vault-tool/internal/redact"
)

// Buffer is a fixed piece of memory for secrets. It is not safe for concurrent writing. Its bytes must
// not be used after Destroy: those of a large buffer then end the process with a fault, those of a
// small one may be another's.
type Buffer struct {
	redact.Value
	bytes  []byte
	memory releaser // nil for an empty buffer
}

// releaser is memory that can be wiped and given back, once.
type releaser interface{ release() }

// New returns a zeroed buffer of size bytes. It fails only where the system has no memory left; the
// error then names the size.
func New(size int) (*Buffer, error) {
	if size < 0 {
		return nil, fmt.Errorf("lockedmem: negative size %d", size)
	}
	if size == 0 {
		return &Buffer{}, nil
	}
	return process.allocate(size)
}

func (a *allocator) allocate(size int) (*Buffer, error) {
	if size > maxSmallBytes {
		return a.own(size)
	}
	c, err := a.small(size)
	if err != nil {
		return nil, err
	}
	return &Buffer{bytes: c.bytes()[:size:size], memory: c}, nil
}

// NewOwn is New for a buffer that shares its memory with no other, however small it is, so that it can be
// frozen.
func NewOwn(size int) (*Buffer, error) {
	if size <= 0 {
		return New(size)
	}
	return process.own(size)
}

func (a *allocator) own(size int) (*Buffer, error) {
	r, err := a.newRegion(size)
	if err != nil {
		return nil, err
	}
	return &Buffer{bytes: r.bytes, memory: r}, nil
}

// Bytes returns the buffer's memory; the slice is valid until Destroy.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Len returns the buffer's length in bytes.
func (b *Buffer) Len() int { return len(b.bytes) }

// Truncate wipes what lies beyond the first n bytes and shortens the buffer to them.
func (b *Buffer) Truncate(n int) {
	clear(b.bytes[n:])
	b.bytes = b.bytes[:n:n]
}

// WipeFront wipes the first n bytes, and gives back the memory of what is large among them. The bytes stay the buffer's, as zeros.
func (b *Buffer) WipeFront(n int) {
	clear(b.bytes[:n])
	if r, ok := b.memory.(*region); ok && n >= worthGivingBack {
		r.mapping.discard(b.bytes[:n])
	}
}

// worthGivingBack is from which size on wiped memory is given back: for less the calls cost more than it is worth.
const worthGivingBack = 1 << 20

// Freeze makes writing to the buffer a fault that ends the process, until Destroy. It does nothing to a buffer
// that shares its memory.
func (b *Buffer) Freeze() error {
	r, ok := b.memory.(*region)
	if !ok {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.setReadOnly(true)
}

// Destroy wipes the buffer and gives its memory back. It may be called again, and on nil.
func (b *Buffer) Destroy() {
	if b == nil || b.memory == nil {
		return
	}
	b.memory.release()
	b.bytes, b.memory = nil, nil
}

// Shortfall returns nil while every buffer of the process could be locked, and the system's reason
// for the first that could not.
func Shortfall() error { return process.shortfall() }
