// Package lockedmem holds secrets outside the garbage-collected heap.
//
// A [Buffer] is memguard memory: locked against swapping, between guard pages, left out of core
// dumps, wiped when destroyed. memguard ends the process where the system refuses to lock memory, so
// every allocation is tried first, and where the limit (RLIMIT_MEMLOCK) is reached the buffer falls
// back to plain anonymous memory that is left out of core dumps and wiped as well. [Shortfall] tells
// when that happened, for the program to say so once.
//
// Non-guarantees: root, and on a default Linux any process of the same user, can read a process's
// memory while it runs; hibernation writes locked memory to disk.
package lockedmem

import (
	"fmt"
	"os"
	"sync"

	"github.com/awnumar/memcall"
	"github.com/awnumar/memguard"

	"github.com/mazevault/vault-tool/internal/redact"
)

// Buffer is a fixed piece of memory for secrets. It is not safe for concurrent writing. Using its
// bytes after Destroy ends the process with a fault, by memguard's design.
type Buffer struct {
	redact.Value
	bytes   []byte
	guarded *memguard.LockedBuffer // nil for the fallback and for an empty buffer
	region  []byte                 // the fallback's whole mapping
}

// New returns a zeroed buffer of size bytes. It fails only where the system has no memory left; the
// error then wraps nothing and names the size.
func New(size int) (*Buffer, error) {
	if size < 0 {
		return nil, fmt.Errorf("lockedmem: negative size %d", size)
	}
	if size == 0 {
		return &Buffer{}, nil
	}
	return process.allocate(size)
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

// Destroy wipes the buffer and gives its memory back. It may be called again, and on nil.
func (b *Buffer) Destroy() {
	if b == nil {
		return
	}
	b.bytes = nil
	if b.guarded != nil {
		b.guarded.Destroy()
		b.guarded = nil
	}
	if b.region != nil {
		clear(b.region)
		_ = memcall.Free(b.region) // wiped already; a mapping that stays costs only address space
		b.region = nil
	}
}

// Shortfall returns nil while every buffer of the process could be locked, and the system's reason
// for the first that could not.
func Shortfall() error { return process.shortfall() }

// process is the one allocator, because the limit on locked memory is the process's.
var process allocator

type allocator struct {
	mu     sync.Mutex // between the probe and memguard's own allocation
	reason error
}

// probeSlackPages is probed beyond the buffer itself: memguard rounds up and places a canary.
const probeSlackPages = 2

func (a *allocator) allocate(size int) (*Buffer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()

	pageSize := os.Getpagesize()
	regionBytes := (size/pageSize + 1 + probeSlackPages) * pageSize
	if err := lockable(regionBytes); err != nil {
		if a.reason == nil {
			a.reason = err
		}
		return newUnlocked(size, regionBytes)
	}
	guarded := memguard.NewBuffer(size)
	return &Buffer{bytes: guarded.Bytes(), guarded: guarded}, nil
}

// newUnlocked returns the fallback: memory that may be swapped, but is left out of core dumps.
func newUnlocked(size, regionBytes int) (*Buffer, error) {
	region, err := memcall.Alloc(regionBytes)
	if err != nil {
		return nil, fmt.Errorf("lockedmem: cannot allocate %d bytes: %w", size, err)
	}
	// The lock will be refused again, but memcall leaves the region out of core dumps on the way.
	_ = memcall.Lock(region)
	return &Buffer{bytes: region[:size:size], region: region}, nil
}

func (a *allocator) shortfall() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reason
}
