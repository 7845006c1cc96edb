package main

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/testdir"
)

// failable tells whether a failing call is the tool's own and not the Go runtime's or a message to the user.
func (c call) failable() bool { return c.name != "write" || c.writesFile() }

// TestFailEachCall makes each file system call of a command fail in turn, in each way that a disk fails. An add,
// encrypt or rm that reports a failure has changed nothing and left nothing behind; a rotation or migration may
// have come half the way, but loses nothing; what a hint says of the state is true; and each of them, run again,
// finishes the work. Without -crash.all every fourth call fails.
func TestFailEachCall(t *testing.T) {
	if !canFailCalls {
		t.Skip("calls cannot be made to fail on this processor")
	}
	const sample = 4
	for i, failure := range []syscall.Errno{unix.EIO, unix.ENOSPC, unix.EDQUOT, unix.EFBIG} {
		for _, c := range crashCases() {
			chosen := func(made call) bool {
				switch {
				case !made.failable():
					return false
				case !*crashAll: // each in the turn of one kind of failure
					return made.n%(sample*sample) == (sample+1)*i
				}
				return !c.oneFault || made.n%sample == i
			}
			if c.lacks != nil || c.asApply {
				continue
			}
			t.Run(c.name+": "+failure.Error(), func(t *testing.T) {
				t.Parallel()
				c.disturbEach(t, true, chosen, verdict{fail: failure}, func(f, start *folder, at call, r traceResult) {
					c.checkFailed(f, start, at, r, failure)
				})
			})
		}
	}
}

func (c crashCase) checkFailed(f, start *folder, at call, r traceResult, failure syscall.Errno) {
	if r.code == exitOK { // the tool can do without the call
		f.wantSecrets(c.after)
		return
	}
	if r.code == -1 || !strings.Contains(r.stderr, "vault-tool: error: ") {
		f.t.Errorf("exit %d: %s", r.code, r.stderr)
	}
	// Go takes EIO from copy_file_range for "try it another way" and copies the rest itself, which comes out short.
	if at.changesDisk() && at.name != "unlinkat" && at.name != "copy_file_range" && (r.code != exitFailed || !strings.Contains(r.stderr, failure.Error())) {
		f.t.Errorf("exit %d and not %d, or no mention of %q: %s", r.code, exitFailed, failure, r.stderr)
	}
	c.checkHint(f, start, at, r)
	if c.oneStep() {
		if f.read("secrets.vault") != start.read("secrets.vault") {
			f.t.Errorf("failed and changed the vault: %s", r.stderr)
		}
		if at.name != "unlinkat" { // what could not be removed is for the next run
			f.wantNames(append(start.names(), "secrets.vault.lock", "secrets.vault.bak")...)
		}
	}
}

// checkHint compares what the hint says of the state with the state.
func (c crashCase) checkHint(f, start *folder, at call, r traceResult) {
	unchanged := f.read("secrets.vault") == start.read("secrets.vault")
	if strings.Contains(r.stderr, "nothing was changed") && (!unchanged || f.read(".env") != start.read(".env") || f.read("vault.key") != start.read("vault.key")) {
		f.t.Errorf("the hint says that nothing was changed: %s", r.stderr)
	}
	if strings.Contains(r.stderr, "the vault is under vault.key.new now") {
		f.mustRun("", "list", "--key-file", "vault.key.new")
	}
	if at.changesDisk() && r.code == exitFailed && !strings.Contains(r.stderr, "hint: ") {
		f.t.Errorf("no hint: %s", r.stderr)
	}
	if c.oneStep() && at.writesFile() && unchanged && !strings.Contains(r.stderr, "hint: nothing was changed") {
		f.t.Errorf("the hint does not say that nothing was changed: %s", r.stderr)
	}
	if !c.oneStep() && !unchanged && !strings.Contains(r.stderr, "run the command again to finish") {
		f.t.Errorf("the vault has changed, and the hint does not say what to do: %s", r.stderr)
	}
}

// oneStep tells whether the command either changes the vault or fails.
func (c crashCase) oneStep() bool {
	return !strings.HasPrefix(c.name, "rotate-key") && !strings.HasPrefix(c.name, "migrate-env") && c.name != "drop-key" && c.name != "backup with the key"
}

// TestFailedDirectorySync is the fault at which the new vault has its name already: the tool puts the old
// one back.
func TestFailedDirectorySync(t *testing.T) {
	if !canFailCalls {
		t.Skip("calls cannot be made to fail on this processor")
	}
	t.Parallel()
	f := newVault(t, true, someSecrets)
	before := f.snapshot()
	renamed := false
	r := f.trace("new\n", []string{"add", "--name", "C"}, func(c call) verdict {
		renamed = renamed || c.name == "renameat2"
		if renamed && c.name == "fsync" {
			return verdict{fail: unix.EIO}
		}
		return verdict{}
	})
	if r.code != exitFailed || !strings.Contains(r.stderr, "sync directory") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
	if !maps.Equal(f.snapshot(), before) {
		t.Error("something changed")
	}
}

const nobody = 65534

// asNobody lets the folder be entered by everybody and runs its commands as another user than root.
func (f *folder) asNobody() {
	f.t.Helper()
	testdir.Open(f.t, filepath.Dir(f.dir))
	testdir.Open(f.t, filepath.Dir(f.tool))
	f.set = func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

func (f *folder) chown(uid int, names ...string) {
	f.t.Helper()
	for _, name := range names {
		if err := os.Chown(f.path(name), uid, uid); err != nil {
			f.t.Fatal(err)
		}
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	needRoot(t)
	t.Parallel()
	f := newVault(t, true, someSecrets)
	f.asNobody()
	f.chown(nobody, f.names()...)
	f.chown(0, ".")
	if err := os.Chmod(f.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	before := f.snapshot()
	texts := []string{"permission denied", "hint: check who owns the file and its directory"}
	f.wantFailure(exitFailed, texts, "v", "add", "--name", "C")
	f.wantFailure(exitFailed, texts, "{}", "encrypt", "--force")
	f.wantFailure(exitFailed, texts, "", "rotate-key", "--in-place")
	f.wantSecrets(someSecrets)
	remove(f, "secrets.vault.lock")
	f.wantFailure(exitFailed, texts, "v", "add", "--name", "C")
	delete(before, "secrets.vault.lock")
	if !maps.Equal(f.snapshot(), before) {
		t.Error("something changed")
	}
}

// TestForeignOwner is a vault that somebody else owns in a directory where everybody may write: its owner
// cannot be kept.
func TestForeignOwner(t *testing.T) {
	needRoot(t)
	t.Parallel()
	f := newVault(t, true, someSecrets)
	f.asNobody()
	f.chown(nobody, "vault.key", "secrets.vault.lock", ".")
	if err := os.Chmod(f.path("secrets.vault"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := f.snapshot()
	texts := []string{"cannot keep file attributes", "hint: nothing was changed; run the command as the owner"}
	f.wantFailure(exitFailed, texts, "v", "add", "--name", "C")
	f.wantFailure(exitFailed, texts, "{}", "encrypt", "--force")
	f.wantFailure(exitFailed, texts, "", "rotate-key", "--in-place")
	if !maps.Equal(f.snapshot(), before) {
		t.Errorf("something changed; there are %v", f.names())
	}
	f.wantSecrets(someSecrets)
}

// TestNotAFile gives the tool things that are no files. None may make it hang.
func TestNotAFile(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	if err := os.Mkdir(f.path("directory"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(f.path("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.set = withinTenSeconds(t)
	before := f.snapshot()
	for _, vault := range []string{"directory", "fifo", "/dev/null", "/dev/zero"} {
		texts := []string{vault, "not a regular file"}
		f.wantFailure(exitUsage, texts, "", "--vault-file", vault, "list")
		f.wantFailure(exitUsage, texts, "v", "--vault-file", vault, "add", "--name", "C", "--create")
		f.wantFailure(exitUsage, texts, "{}", "--vault-file", vault, "encrypt", "--force")
		f.wantFailure(exitUsage, texts, "", "--vault-file", vault, "rotate-key", "--in-place")
	}
	if _, err := os.Lstat("/dev/null.lock"); err == nil {
		t.Error("a lock file was made beside /dev/null")
	}
	if !maps.Equal(f.snapshot(), before) {
		t.Errorf("something changed; there are %v", f.names())
	}
}

// TestNotAFileInTheWay puts what is no file where a command would write one. It is told, nothing is changed, and
// the command works when it is gone.
func TestNotAFileInTheWay(t *testing.T) {
	t.Parallel()
	start := newVault(t, true, someSecrets)
	start.write(".env", crashEnv, 0o600)
	start.mustRun("", "init", "--key-file", "next.key")
	const lock = "secrets.vault.lock"
	remove(start, lock)
	obstacles := map[string]func(path string) error{
		"a directory":     func(path string) error { return os.Mkdir(path, 0o700) },
		"a named pipe":    func(path string) error { return unix.Mkfifo(path, 0o600) },
		"a dangling link": func(path string) error { return os.Symlink("nowhere/at-all", path) },
	}
	for command, places := range map[string][]string{
		"add C":                               {lock},
		"rm A":                                {lock},
		"apply":                               {lock},
		"destroy A":                           {lock},
		"drop-key":                            {lock},
		"encrypt --force":                     {lock, "secrets.vault.bak"},
		"migrate-env --env-file .env --prune": {lock},
		"rotate-key --new-key-file next.key":  {lock},
		"rotate-key --in-place":               {lock, "vault.key.new", "vault.key.old"},
		"rotate-key --in-place --discard-old-key": {lock, "vault.key.new"},
	} {
		for _, place := range places {
			for kind, put := range obstacles {
				f := start.copyOf(t)
				f.set = withinTenSeconds(t)
				if err := put(f.path(place)); err != nil {
					t.Fatal(err)
				}
				f.wantFailure(exitUsage, []string{place, "not a regular file", "hint: nothing was changed"}, `{"Z":"26"}`, strings.Fields(command)...)
				remove(f, place)
				if _, err := os.Lstat(f.path(lock)); err == nil {
					remove(f, lock)
				}
				if !maps.Equal(f.snapshot(), start.snapshot()) {
					t.Errorf("%s with %s at %s: something changed; there are %v", command, kind, place, f.names())
				}
				f.mustRun(`{"Z":"26"}`, strings.Fields(command)...)
			}
		}
	}
}

// withinTenSeconds ends commands that hang, which fails their test.
func withinTenSeconds(t *testing.T) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		time.AfterFunc(10*time.Second, func() {
			if cmd.Process != nil && cmd.ProcessState == nil {
				_ = cmd.Process.Kill()
			}
		})
	}
}

func TestLockHeldTooLong(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	f.write(".env", crashEnv, 0o600)
	lock, err := durable.Lock(context.Background(), f.path("secrets.vault"), 0)
	if err != nil {
		t.Fatal(err)
	}
	before := f.snapshot()
	texts := []string{"secrets.vault.lock", "lock not obtained in time", "hint: another process is writing the vault"}
	for _, args := range [][]string{
		{"add", "--name", "C"}, {"encrypt", "--force"}, {"rm", "A"}, {"rotate-key", "--in-place"}, {"migrate-env", "--env-file", ".env", "--prune"},
		{"apply"}, {"rename", "A", "Z"}, {"copy", "A", "Z"}, {"rollback", "--all", "--to", "1h"}, {"undelete", "A"}, {"destroy", "A"},
		{"history", "--keep", "3"}, {"drop-key"},
	} {
		start := time.Now()
		f.wantFailure(exitBusy, texts, `{"Z":"26"}`, append(args, "--lock-timeout", "300ms")...)
		if took := time.Since(start); took < 300*time.Millisecond || took > 5*time.Second {
			t.Errorf("%v took %v", args, took)
		}
		f.wantFailure(exitBusy, texts, `{"Z":"26"}`, append(args, "--lock-timeout", "0s")...)
	}
	f.wantSecrets(someSecrets) // a reader does not wait
	if !maps.Equal(f.snapshot(), before) {
		t.Error("something changed")
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	f.mustRun("v", "add", "--name", "C")
}

// TestInterruptedWait interrupts a command that waits: for the lock, and for its standard input.
func TestInterruptedWait(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	lock, err := durable.Lock(context.Background(), f.path("secrets.vault"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	before := f.snapshot()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	for _, ending := range endingSignals {
		if signal.Ignored(ending) { // by whoever started this test; the tool keeps to that
			continue
		}
		for _, stdin := range []*os.File{nil, in} {
			f.interrupt(ending, stdin)
		}
	}
	if !maps.Equal(f.snapshot(), before) {
		t.Errorf("something changed; there are %v", f.names())
	}
}

// interrupt starts an add that waits, and sends it a signal. Nothing tells from outside when it has begun
// to wait, so a process that the signal ended before it could be caught counts as sent too early.
func (f *folder) interrupt(signal os.Signal, stdin *os.File) {
	f.t.Helper()
	for delay := 100 * time.Millisecond; delay < 5*time.Second; delay *= 2 {
		cmd := f.command("value", "add", "--name", "C", "--lock-timeout", "1m")
		if stdin != nil {
			cmd.Stdin = stdin
		}
		if err := cmd.Start(); err != nil {
			f.t.Fatal(err)
		}
		time.Sleep(delay)
		start := time.Now()
		if err := cmd.Process.Signal(signal); err != nil {
			f.t.Fatal(err)
		}
		_ = cmd.Wait() // the exit code tells
		if code, took := cmd.ProcessState.ExitCode(), time.Since(start); code != -1 {
			if code != exitInterrupted || took > 2*time.Second {
				f.t.Errorf("%v: exit %d after %v", signal, code, took)
			}
			return
		}
	}
	f.t.Errorf("%v: never caught", signal)
}
