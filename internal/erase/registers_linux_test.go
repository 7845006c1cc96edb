//go:build goexperiment.runtimesecret

package erase_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/erase"
)

// TestRegistersLeavesNoneOnSignalStacks compares values for long enough to be preempted, so that a signal
// saves registers that hold a value, and searches all memory for it before and after.
func TestRegistersLeavesNoneOnSignalStacks(t *testing.T) {
	const tries = 10
	saved := 0
	for range tries {
		value := make([]byte, 64)
		_, _ = rand.Read(value)
		needle := masked(value[:16])
		erase.Do(func() { compareFor(30*time.Millisecond, value) })
		clear(value)
		if occurrences(t, needle) > 0 {
			saved++
		}
		erase.Registers()
		time.Sleep(time.Millisecond) // the other threads' signals are on their way
		if n := occurrences(t, needle); n > 0 {
			t.Fatalf("the value is there %d times", n)
		}
	}
	t.Logf("signals saved registers with the value in %d of %d runs", saved, tries)
	if saved == 0 {
		t.Skip("no signal saved any register, so this run shows nothing")
	}
}

// compareFor keeps value in vector registers, as bytes.Equal and copy do.
func compareFor(d time.Duration, value []byte) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for range 10_000 {
			if !bytes.Equal(value, value[:len(value):len(value)]) {
				panic("unequal")
			}
			var copied [64]byte
			copy(copied[:], value)
			if !bytes.Equal(copied[:], value) {
				panic("unequal")
			}
		}
	}
}

const mask = 0xA5

// masked returns b in a form that a search for b does not find.
func masked(b []byte) []byte {
	m := make([]byte, len(b))
	for i := range b {
		m[i] = b[i] ^ mask
	}
	return m
}

// occurrences counts where the memory of this process holds what needle was masked from. The memory it
// reads into lies outside of what it searches.
func occurrences(t *testing.T, needle []byte) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Skipf("own memory cannot be read: %v", err)
	}
	defer memory.Close()
	window, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(window) }()
	count := 0
	for line := range bytes.Lines(maps) {
		var from, to int64
		var access string
		if _, err := fmt.Sscanf(string(line), "%x-%x %s", &from, &to, &access); err != nil || access[:2] != "rw" {
			continue
		}
		for at := from; at < to; at += int64(len(window)) {
			n, err := memory.ReadAt(window[:min(int64(len(window)), to-at)], at)
			if err == nil {
				count += countMasked(window[:n], needle)
			}
			clear(window)
		}
	}
	return count
}

func countMasked(memory, needle []byte) int {
	count := 0
	for {
		i := bytes.IndexByte(memory, needle[0]^mask)
		if i < 0 || len(memory)-i < len(needle) {
			return count
		}
		memory = memory[i:]
		j := 1
		for j < len(needle) && memory[j]^mask == needle[j] {
			j++
		}
		if j == len(needle) {
			count++
		}
		memory = memory[1:]
	}
}
