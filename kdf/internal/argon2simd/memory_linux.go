package argon2simd

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a huge page of the processors there are instruction sets for.
const hugePage = 2 << 20

// memory is an anonymous mapping, in huge pages where the kernel has them. Nothing is faulted in yet.
type memory struct {
	mapping []byte // all of it
	usable  []byte // from the first boundary of a huge page on
}

func mapMemory(bytes int) (memory, error) {
	mapping, err := unix.Mmap(-1, 0, bytes+hugePage, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return memory{}, err
	}
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(mapping))) % hugePage)
	usable := mapping[(hugePage-past)%hugePage:][:bytes]
	// Both are advice. Without huge pages it takes twice the time. A kernel that does not know MADV_DONTDUMP
	// is older than any that Go supports.
	_ = unix.Madvise(usable, unix.MADV_HUGEPAGE)
	_ = unix.Madvise(usable, unix.MADV_DONTDUMP)
	return memory{mapping, usable}, nil
}

func (m memory) blocks() []block {
	return unsafe.Slice((*block)(unsafe.Pointer(unsafe.SliceData(m.usable))), len(m.usable)/blockBytes)
}

// unmap gives the memory back. It fails for no mapping of ours.
func (m memory) unmap() { _ = unix.Munmap(m.mapping) }
