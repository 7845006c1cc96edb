package kdf

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/erase"
)

const (
	// prefaultFromBytes is where faulting in ahead begins to pay; below it the plain call is as fast.
	prefaultFromBytes = 8 << 20

	// prefaultSlackBytes is touched beyond what Argon2 will ask for: the small objects allocated in
	// between may take the first pages of the free span, and it must still be large enough.
	prefaultSlackBytes = 1 << 20
)

// prefault makes the next large heap allocation of the given size land on memory that is already
// mapped, with huge pages where they are to be had. It allocates that much, asks the kernel to
// populate it, and drops it: the collector then hands the same span to Argon2. Argon2 reads every
// block before it first writes it, so each of its pages would otherwise fault twice.
//
// Best effort: where the kernel refuses (no huge pages, before Linux 5.14) the derivation is only
// slower.
func prefault(bytes int) {
	if bytes < prefaultFromBytes || mappedFreeBytes() >= uint64(bytes) {
		return
	}
	// Under erase.Do the runtime would overwrite the span when it is freed, which takes a while and is
	// for secrets, of which it has none yet.
	erase.Outside(func() { populate(bytes) })
}

// populate allocates and drops a span as prefault describes.
func populate(bytes int) {
	span := make([]byte, bytes+prefaultSlackBytes)
	pageSize := os.Getpagesize()
	// Spans of this size start on a page, but madvise insists, and this may not always be so.
	misaligned := int(uintptr(unsafe.Pointer(unsafe.SliceData(span))) % uintptr(pageSize))
	if misaligned != 0 {
		span = span[pageSize-misaligned:]
	}
	span = span[:len(span)/pageSize*pageSize]
	_ = unix.Madvise(span, unix.MADV_HUGEPAGE)
	_ = unix.Madvise(span, unix.MADV_POPULATE_WRITE)
	runtime.KeepAlive(span)
	span = nil
	runtime.GC() // frees the span, for Argon2 to get it
}

// mappedFreeBytes is how much of the heap is free and still backed by memory: what an earlier
// derivation left, unless the runtime has given it back to the system since. (runtime/metrics tells it
// too, but linking that package lengthens the start of every program that does.)
func mappedFreeBytes() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapIdle - stats.HeapReleased
}
