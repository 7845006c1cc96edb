//go:build !linux

package argon2simd

// memory is never mapped on a system that has no set.
type memory struct{}

func mapMemory(int) (memory, error) { return memory{}, ErrUnsupported }

func (memory) blocks() []block { return nil }

func (memory) unmap() {}
