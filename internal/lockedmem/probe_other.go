//go:build !linux

package lockedmem

import "github.com/awnumar/memcall"

// lockable tells whether the system lets the process lock so many bytes more: nil, or its reason.
func lockable(bytes int) error {
	region, err := memcall.Alloc(bytes)
	if err != nil {
		return err
	}
	if err := memcall.Lock(region); err != nil {
		_ = memcall.Free(region) // the reason why it could not be locked is what counts
		return err
	}
	if err := memcall.Unlock(region); err != nil {
		return err
	}
	return memcall.Free(region)
}
