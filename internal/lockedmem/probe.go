package lockedmem

import "os"

// CanLock returns nil if so many bytes more could be locked at this moment, or the system's reason why not. It keeps nothing.
func CanLock(size int) error {
	page := os.Getpagesize()
	m, lockErr, err := mapLocked((max(size, 1) + page - 1) / page * page)
	if err != nil {
		return err
	}
	m.unmap()
	return lockErr
}
