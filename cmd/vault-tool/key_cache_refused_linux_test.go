package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestKeyringRefused: where the kernel or a container's seccomp profile refuses keyrings, everything works
// the slow way, and only --verbose says why.
func TestKeyringRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, for which -short is, sees nothing here that it does not see elsewhere")
	}
	t.Parallel()
	dir := newVaultDir(t, `{"A": "one"}`)
	all := []uint32{unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL}
	for name, refusal := range map[string]struct {
		errno  syscall.Errno
		calls  []uint32
		reason string
	}{
		"container profile":      {unix.EPERM, all, "operation not permitted"},
		"kernel without keyring": {unix.ENOSYS, all, "function not implemented"},
		"quota used up":          {unix.EDQUOT, []uint32{unix.SYS_ADD_KEY}, "quota exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(args ...string) (stdout, stderr string) {
				t.Helper()
				cmd := exec.Command("vault-tool", args...)
				cmd.Dir = dir
				return runRefusing(t, cmd, refusal.errno, refusal.calls)
			}
			stdout, stderr := run("get", "A", "--key-cache", "1m")
			if stdout != "one" || stderr != "" {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
			stdout, stderr = run("get", "A", "--key-cache", "1m", "--verbose")
			if stdout != "one" || strings.Count(stderr, "no key is cached: the kernel keyring is not available") != 1 || !strings.Contains(stderr, refusal.reason) {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
			if !slices.Contains(refusal.calls, unix.SYS_KEYCTL) {
				return
			}
			// A cache that is out of reach is no failure of a script that locks at its end.
			stdout, stderr = run("forget", "--json")
			if stdout != "{\"forgotten\":0}\n" || !strings.HasPrefix(stderr, "nothing forgotten: the kernel keyring is not available") ||
				!strings.Contains(stderr, refusal.reason) {
				t.Errorf("stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

// runRefusing runs a command that must succeed, for which the kernel refuses the system calls with errno.
// It is started from a thread with a seccomp filter (seccomp(2)), which the command inherits and which
// ends with that thread.
func runRefusing(t *testing.T, cmd *exec.Cmd, errno syscall.Errno, calls []uint32) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var refused, failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread is of no use to anybody else
		if refused = refuseCalls(errno, calls); refused == nil {
			failed = cmd.Run()
		}
	}()
	<-done
	if refused != nil {
		t.Skipf("no seccomp filter here: %v", refused)
	}
	if failed != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, failed, &errs)
	}
	return out.String(), errs.String()
}

// refuseCalls makes the kernel refuse system calls to this thread and to what it starts.
func refuseCalls(errno syscall.Errno, calls []uint32) error {
	const callNumberOffset = 0 // of seccomp_data
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: callNumberOffset}}
	for i, call := range calls {
		toRefusal := uint8(len(calls) - i) // over the comparisons that are left, and the permission
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: toRefusal, K: call})
	}
	filter = append(filter,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
