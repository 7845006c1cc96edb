package lockedmem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// lockable tells whether the system lets the process lock so many bytes more: nil, or its reason. It
// locks address space without populating it, so that a large probe costs no page faults.
func lockable(bytes int) error {
	region, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	err = lockOnFault(region)
	if unmapErr := unix.Munmap(region); err == nil { // which unlocks it
		err = unmapErr
	}
	return err
}

// lockOnFault is mlock2(2) with MLOCK_ONFAULT, and mlock(2) before Linux 4.4 or where it is filtered.
func lockOnFault(region []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MLOCK2, uintptr(unsafe.Pointer(unsafe.SliceData(region))), uintptr(len(region)), unix.MLOCK_ONFAULT)
	switch errno {
	case 0:
		return nil
	case unix.ENOSYS:
		return unix.Mlock(region)
	}
	return errno
}
