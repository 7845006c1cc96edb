package lockedmem

import "unsafe"

// View returns b as a string, for functions that take no bytes, without a copy. It is gone when the memory of b is, and b must not
// change as long as it is used.
func View(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
