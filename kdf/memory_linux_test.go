package kdf

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const memoryChildEnv = "KDF_TEST_MEMORY_CHILD"

// TestMemoryThatCannotBeHad limits the address space of a process until nothing is left for a derivation: that
// is an error, and no crash of the runtime.
func TestMemoryThatCannotBeHad(t *testing.T) {
	if i := os.Getenv(memoryChildEnv); i != "" {
		memoryChild(t, Implementation(i))
		return
	}
	for _, i := range Implementations() {
		t.Run(string(i), func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestMemoryThatCannotBeHad$", "-test.v")
			child.Env = append(os.Environ(), memoryChildEnv+"="+string(i))
			out, err := child.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "refused: "+ErrMemory.Error()) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func memoryChild(t *testing.T, i Implementation) {
	d, err := New(i)
	if err != nil {
		t.Fatal(err)
	}
	// The heap gets its room now: the runtime takes 64 MiB of address space at a time, and ends the process where it cannot have them.
	runtime.KeepAlive(make([]byte, 16<<20))
	runtime.GC()
	status, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	if _, err := fmt.Sscan(string(status), &pages); err != nil {
		t.Fatal(err)
	}
	const spare = 48 << 20 // enough for the runtime, and not for a derivation
	limit := pages*uint64(os.Getpagesize()) + spare
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	p := Params{MemoryKiB: 64 * 1024, Iterations: 1, Lanes: 4, KeyBytes: 32}
	err = d.Derive(t.Context(), p, make([]byte, p.KeyBytes), []byte("p"), make([]byte, 16))
	if !errors.Is(err, ErrMemory) {
		t.Fatalf("error %v, want ErrMemory", err)
	}
	fmt.Println("refused:", err)
}
