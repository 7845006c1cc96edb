package lockedmem

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const childEnv = "LOCKEDMEM_TEST_LIMIT_BYTES"

// TestWithoutLockableMemory runs the allocator as an unprivileged process under limits of 0, of
// 16 KiB, which no slab fits, and of 64 KiB, where memguard by itself panics or hangs.
func TestWithoutLockableMemory(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		allocateUnderLimit(t)
		return
	}
	for _, limit := range []string{"0", "16384", "65536"} {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestWithoutLockableMemory$", "-test.v")
		cmd.Env = append(os.Environ(), childEnv+"="+limit)
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestWithoutLockableMemory") {
			t.Errorf("limit %s: %v\n%s", limit, err, out)
		}
	}
}

func allocateUnderLimit(t *testing.T) {
	limit, err := strconv.ParseUint(os.Getenv(childEnv), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	var buffers []*Buffer
	sizes := []int{maxSmallBytes + 1, 32, maxSmallBytes}
	for i := range 200 {
		b, err := New(sizes[i%len(sizes)])
		if err != nil {
			t.Fatal(err)
		}
		copy(b.Bytes(), bytes.Repeat([]byte{byte(i)}, b.Len()))
		buffers = append(buffers, b)
	}
	if Shortfall() == nil {
		t.Error("200 buffers fit under the limit, it says")
	}
	for i, b := range buffers {
		if !bytes.Equal(b.Bytes(), bytes.Repeat([]byte{byte(i)}, sizes[i%len(sizes)])) {
			t.Fatalf("buffer %d lost its content", i)
		}
		b.Destroy()
	}
	if n := len(process.slabs); n != 1 {
		t.Errorf("%d slabs are left, want 1", n)
	}
}
