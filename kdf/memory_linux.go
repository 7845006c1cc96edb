package kdf

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// memoryAllows returns an error wrapping ErrMemory where the limit of a control group is less than the
// derivation needs: the kernel would end the process for it, without a word.
func memoryAllows(bytes int) error {
	group, limit, ok := cgroupLimit(os.DirFS("/"))
	if ok && limit < uint64(bytes) {
		return fmt.Errorf("%w: it needs %d MiB, and the control group %s has a limit of %d MiB", ErrMemory, bytes>>20, group, limit>>20)
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

// cgroupLimit returns the smallest memory limit of the process's control groups (version 2), in bytes, and
// the group that has it. What cannot be read sets no limit.
func cgroupLimit(root fs.FS) (group string, limit uint64, ok bool) {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return "", 0, false
	}
	for line := range strings.Lines(string(text)) {
		own, isV2 := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !isV2 {
			continue
		}
		for dir := path.Clean("/" + own); ; dir = path.Dir(dir) {
			text, err := fs.ReadFile(root, path.Join("sys/fs/cgroup", dir, "memory.max"))
			if n, parseErr := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && parseErr == nil && (!ok || n < limit) {
				group, limit, ok = dir, n, true
			}
			if dir == "/" {
				break
			}
		}
	}
	return group, limit, ok
}
