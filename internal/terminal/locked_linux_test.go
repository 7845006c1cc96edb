package terminal

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

const limitedEnv = "TERMINAL_TEST_LIMITED"

// TestTypedValueIsLocked: what a person types is locked under the limit of 64 KiB that an unprivileged user has.
func TestTypedValueIsLocked(t *testing.T) {
	if os.Getenv(limitedEnv) != "" {
		limit := unix.Rlimit{Cur: 64 << 10, Max: 64 << 10}
		if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
			t.Fatal(err)
		}
		if got, err := readTyped(t, strings.Repeat("secret", 1000)+"\r"); err != nil || len(got) != 6000 {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		if err := lockedmem.Shortfall(); err != nil {
			t.Error("not locked: ", err)
		}
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestTypedValueIsLocked$", "-test.v")
	cmd.Env = append(os.Environ(), limitedEnv+"=1")
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestTypedValueIsLocked") {
		t.Errorf("%v\n%s", err, out)
	}
}
