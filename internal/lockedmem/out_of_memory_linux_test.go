package lockedmem

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const outOfMemoryEnv = "LOCKEDMEM_TEST_OUT_OF_MEMORY"

// TestOutOfMemory: where the system gives no memory there is an error, and what is held stays as it was. It runs in a
// process of its own, whose address space is limited.
func TestOutOfMemory(t *testing.T) {
	if os.Getenv(outOfMemoryEnv) != "" {
		allocateTooMuch(t)
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestOutOfMemory$", "-test.v")
	cmd.Env = append(os.Environ(), outOfMemoryEnv+"=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestOutOfMemory") {
		t.Errorf("%v\n%s", err, out)
	}
}

func allocateTooMuch(t *testing.T) {
	var a Arena
	defer a.Destroy()
	held, err := a.Copy([]byte("held"))
	if err != nil {
		t.Fatal(err)
	}
	const leftFor = 128 << 20 // bytes that Go's runtime and the test may still take
	limit := addressSpace(t) + leftFor
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	for name, allocate := range map[string]func() error{
		"New":     func() error { _, err := New(2 * leftFor); return err },
		"NewOwn":  func() error { _, err := NewOwn(2 * leftFor); return err },
		"Grow":    func() error { _, err := Grow(&Buffer{}, 2*leftFor); return err },
		"ReadAll": func() error { _, err := ReadAll(zeros{}, 4*leftFor); return err },
	} {
		if err := allocate(); !errors.Is(err, unix.ENOMEM) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if string(held) != "held" {
		t.Errorf("what was held is now %q", held)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// addressSpace is how many bytes of addresses the process has taken.
func addressSpace(t *testing.T) uint64 {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	if _, err := fmt.Sscan(string(statm), &pages); err != nil {
		t.Fatal(err)
	}
	return pages * uint64(os.Getpagesize())
}
