package lockedmem

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// hugePage is the size of a huge page of most processors.
	hugePage = 2 << 20

	// hugeFromBytes is from which size on a mapping asks for huge pages: a large vault otherwise waits longer for
	// page faults than for all else.
	hugeFromBytes = 1 << 20
)

// mapping is memory of the system's, with guard pages around it.
type mapping struct {
	whole []byte
	inner []byte // what may be used: whole pages
}

// mapLocked maps so many bytes, whole pages, and locks them. lockErr says why they could not be locked; they can
// be used all the same.
func mapLocked(bytes int) (m mapping, lockErr, err error) {
	guard, align := os.Getpagesize(), os.Getpagesize()
	if bytes >= hugeFromBytes {
		align = hugePage
	}
	whole, err := unix.Mmap(-1, 0, guard+align+bytes+guard, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return mapping{}, nil, err
	}
	past := (int(uintptr(unsafe.Pointer(unsafe.SliceData(whole)))) + guard) % align
	start := guard + (align-past)%align
	m = mapping{whole, whole[start : start+bytes : start+bytes]}
	if err := unix.Mprotect(m.inner, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		m.unmap()
		return mapping{}, nil, err
	}
	if bytes >= hugeFromBytes {
		_ = unix.Madvise(m.inner, unix.MADV_HUGEPAGE) // without them it is only slower
	}
	_ = unix.Madvise(m.inner, unix.MADV_DONTDUMP) // known to every kernel that Go supports
	return m, unix.Mlock(m.inner), nil
}

func (m mapping) protect(readOnly bool) error {
	if readOnly {
		return unix.Mprotect(m.inner, unix.PROT_READ)
	}
	return unix.Mprotect(m.inner, unix.PROT_READ|unix.PROT_WRITE)
}

// discard gives the whole pages of wiped bytes back. They read as zeros from then on, and are not locked.
func (m mapping) discard(wiped []byte) {
	page := os.Getpagesize()
	before := (page - int(uintptr(unsafe.Pointer(unsafe.SliceData(wiped))))%page) % page
	if whole := (len(wiped) - before) / page * page; whole > 0 {
		pages := wiped[before : before+whole]
		if unix.Munlock(pages) == nil { // else they stay
			_ = unix.Madvise(pages, unix.MADV_DONTNEED)
		}
	}
}

// unmap gives the memory back, and unlocks it with that. It fails for no mapping of ours.
func (m mapping) unmap() { _ = unix.Munmap(m.whole) }
