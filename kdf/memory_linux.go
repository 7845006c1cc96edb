package kdf

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/controlgroup"
)

// memoryAllows returns an error wrapping ErrMemory where the limit of a control group is less than the
// derivation needs: the kernel would end the process for it, without a word.
func memoryAllows(bytes int) error {
	limit, ok := controlgroup.Memory(os.DirFS("/"))
	if ok && limit.Bytes < uint64(bytes) {
		return fmt.Errorf("%w: it needs %d MiB, and the control group %s has a limit of %d MiB", ErrMemory, bytes>>20, limit.Group, limit.Bytes>>20)
	}
	return nil
}

// heapHeadroom is what the Go heap maps beyond what is asked of it: it grows by arenas of 64 MiB.
const heapHeadroom = 128 << 20

// heapAllows returns an error wrapping ErrMemory where the heap cannot grow by that much (RLIMIT_AS): the
// runtime would end the process.
func heapAllows(bytes int) error {
	mapping, err := unix.Mmap(-1, 0, bytes+heapHeadroom, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("%w: %d MiB: %w", ErrMemory, bytes>>20, err)
	}
	return unix.Munmap(mapping)
}
