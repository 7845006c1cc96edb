//go:build !linux

package lockedmem

import (
	"os"

	"github.com/awnumar/memcall"
)

// mapping is memory of the system's, with guard pages around it.
type mapping struct {
	whole []byte
	inner []byte // what may be used: whole pages
}

// mapLocked maps so many bytes, whole pages, and locks them. lockErr says why they could not be locked; they can
// be used all the same.
func mapLocked(bytes int) (m mapping, lockErr, err error) {
	guard := os.Getpagesize()
	whole, err := memcall.Alloc(guard + bytes + guard)
	if err != nil {
		return mapping{}, nil, err
	}
	m = mapping{whole, whole[guard : guard+bytes : guard+bytes]}
	for _, page := range [][]byte{whole[:guard], whole[guard+bytes:]} {
		if err := memcall.Protect(page, memcall.NoAccess()); err != nil {
			m.unmap()
			return mapping{}, nil, err
		}
	}
	return m, memcall.Lock(m.inner), nil
}

func (m mapping) protect(readOnly bool) error {
	if readOnly {
		return memcall.Protect(m.inner, memcall.ReadOnly())
	}
	return memcall.Protect(m.inner, memcall.ReadWrite())
}

// unmap gives the memory back. It fails for no mapping of ours.
func (m mapping) unmap() { _ = memcall.Free(m.whole) }

// discard does nothing here: the bytes are wiped, and their memory stays.
func (m mapping) discard([]byte) {}
