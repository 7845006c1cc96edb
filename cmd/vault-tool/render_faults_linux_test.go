package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRenderFailEachCall makes the file system calls of a rendering fail in turn, in each way that a disk fails. Files are
// whole, no hint says that nothing was changed, and the next run completes the work. Without -crash.all every
// fourth call fails.
func TestRenderFailEachCall(t *testing.T) {
	if !canFailCalls {
		t.Skip("calls cannot be made to fail on this processor")
	}
	failures := []syscall.Errno{unix.EIO, unix.ENOSPC, unix.EDQUOT, unix.EFBIG}
	for _, c := range renderCrashes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			start := newVault(t, true, map[string]string{"A": "new", "B": "same", "app/C": "c"})
			c.prepare(start)
			undisturbed := start.copyOf(t).trace("", c.args, func(call) verdict { return verdict{} })
			if undisturbed.code != exitOK {
				t.Fatalf("undisturbed: exit %d: %s", undisturbed.code, undisturbed.stderr)
			}
			step := len(failures)
			if *crashAll {
				step = 1
			}
			for n := 1; n <= len(undisturbed.calls)+3; n += step { // the runtime makes a few more or less
				c.failAt(t, start, n, failures[n/step%len(failures)])
				if t.Failed() {
					t.Fatalf("failed at call %d of %v", n, undisturbed.calls)
				}
			}
		})
	}
}

// failAt makes the n-th call fail and looks at what comes of it.
func (c renderCrash) failAt(t *testing.T, start *folder, n int, failure syscall.Errno) {
	f := start.copyOf(t)
	var at call
	r := f.trace("", c.args, func(made call) verdict {
		if made.n != n || !made.failable() {
			return verdict{}
		}
		at = made
		return verdict{fail: failure}
	})
	if at.n != 0 {
		if r.code == -1 || r.code != exitOK && !strings.Contains(r.stderr, "vault-tool: error: ") {
			t.Errorf("%v: exit %d: %s", failure, r.code, r.stderr)
		}
		if at.changesDisk() && r.code == exitFailed && !strings.Contains(r.stderr, "hint: ") {
			t.Errorf("no hint: %s", r.stderr)
		}
		if strings.Contains(r.stderr, nothingChanged) {
			t.Errorf("the hint says more than a rendering knows: %s", r.stderr)
		}
		c.check(f)
	}
	if err := os.RemoveAll(f.dir); err != nil {
		t.Error(err)
	}
}
