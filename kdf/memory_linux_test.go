package kdf

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

func TestControlGroupLimit(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tests := []struct {
		name  string
		files fstest.MapFS
		group string
		limit uint64
		ok    bool
	}{
		{"none", fstest.MapFS{}, "", 0, false},
		{"version 1", fstest.MapFS{"proc/self/cgroup": file("4:memory:/a\n")}, "", 0, false},
		{"no limit", fstest.MapFS{"proc/self/cgroup": file("0::/a\n"), "sys/fs/cgroup/a/memory.max": file("max\n")}, "", 0, false},
		{"its own", fstest.MapFS{"proc/self/cgroup": file("0::/a\n"), "sys/fs/cgroup/a/memory.max": file("1000\n")}, "/a", 1000, true},
		{"a container's", fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("33554432\n")}, "/", 32 << 20, true},
		{"the smallest", fstest.MapFS{
			"proc/self/cgroup":                 file("1:name=systemd:/x\n0::/a/b/c\n"),
			"sys/fs/cgroup/a/memory.max":       file("500\n"),
			"sys/fs/cgroup/a/b/memory.max":     file("max\n"),
			"sys/fs/cgroup/a/b/c/memory.max":   file("900\n"),
			"sys/fs/cgroup/a/b/c/d/memory.max": file("1\n"),
		}, "/a", 500, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			group, limit, ok := cgroupLimit(tt.files)
			if group != tt.group || limit != tt.limit || ok != tt.ok {
				t.Errorf("got %q, %d, %v, want %q, %d, %v", group, limit, ok, tt.group, tt.limit, tt.ok)
			}
		})
	}
}

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
