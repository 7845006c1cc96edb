package lockedmem

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const childEnv = "LOCKEDMEM_TEST_LIMIT_BYTES"

// TestWithoutLockableMemory runs the allocator as an unprivileged process under limits of 0 and of
// 64 KiB, where memguard by itself panics or hangs.
func TestWithoutLockableMemory(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		allocateUnderLimit(t)
		return
	}
	for _, limit := range []string{"0", "65536"} {
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
	var limit uint64
	if os.Getenv(childEnv) != "0" {
		limit = 64 << 10
	}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	var buffers []*Buffer
	for i := range 200 {
		b, err := New(5000)
		if err != nil {
			t.Fatal(err)
		}
		copy(b.Bytes(), bytes.Repeat([]byte{byte(i)}, 5000))
		buffers = append(buffers, b)
	}
	if Shortfall() == nil {
		t.Error("200 buffers fit under the limit, it says")
	}
	for i, b := range buffers {
		if !bytes.Equal(b.Bytes(), bytes.Repeat([]byte{byte(i)}, 5000)) {
			t.Fatalf("buffer %d lost its content", i)
		}
		b.Destroy()
	}
}
