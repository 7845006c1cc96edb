package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A tracer runs a command under ptrace(2) and decides at the entry of each of its file system calls what
// becomes of it. strace --inject can do much the same but counts the calls of each thread apart; the Go
// runtime moves the work from one thread to another, so that "the fifth openat" would be another call in
// each run and some calls would never be met. Here all threads share one count.

// traced are the calls that a tracer counts, by number: those that change a file or the directory, and
// those around them.
var traced = map[uint64]string{
	unix.SYS_OPENAT:          "openat",
	unix.SYS_OPENAT2:         "openat2",
	unix.SYS_CLOSE:           "close",
	unix.SYS_WRITE:           "write",
	unix.SYS_PWRITE64:        "pwrite64",
	unix.SYS_COPY_FILE_RANGE: "copy_file_range",
	unix.SYS_SENDFILE:        "sendfile",
	unix.SYS_FTRUNCATE:       "ftruncate",
	unix.SYS_FSYNC:           "fsync",
	unix.SYS_FDATASYNC:       "fdatasync",
	unix.SYS_FCHMOD:          "fchmod",
	unix.SYS_FCHMODAT:        "fchmodat",
	unix.SYS_FCHOWN:          "fchown",
	unix.SYS_FCHOWNAT:        "fchownat",
	unix.SYS_RENAMEAT:        "renameat",
	unix.SYS_RENAMEAT2:       "renameat2",
	unix.SYS_LINKAT:          "linkat",
	unix.SYS_UNLINKAT:        "unlinkat",
	unix.SYS_MKDIRAT:         "mkdirat",
	unix.SYS_FLOCK:           "flock",
	unix.SYS_FSETXATTR:       "fsetxattr",
	unix.SYS_FREMOVEXATTR:    "fremovexattr",
}

// call is a system call that a traced process is about to make.
type call struct {
	n    int // from 1, over all threads
	name string
	nth  int // from 1, of this name
	args [6]uint64
}

func (c call) String() string { return fmt.Sprintf("call %d (%s %d)", c.n, c.name, c.nth) }

// changesDisk tells whether the call can leave the file system in another state.
func (c call) changesDisk() bool {
	switch c.name {
	case "openat":
		return c.args[2]&unix.O_CREAT != 0
	case "openat2", "close", "flock":
		return false
	case "write":
		return c.writesFile()
	}
	return true
}

// eventBytes is the size of what the Go runtime writes to its eventfd, and no file of the tool's has.
const eventBytes = 8

func (c call) writesFile() bool {
	return c.name == "write" && c.args[0] > 2 && c.args[2] != eventBytes
}

// verdict is what a tracer does with a call.
type verdict struct {
	kill   bool           // end the process before the call
	fail   syscall.Errno  // make the call fail without its effect; see canFailCalls
	signal syscall.Signal // send a signal and let the call go on
}

// traceResult is how a traced process ended.
type traceResult struct {
	result
	signal syscall.Signal // what ended it, 0 if it exited
	calls  []call
}

// trace runs a command of the folder and asks decide about each of its calls.
func (f *folder) trace(stdin string, args []string, decide func(call) verdict) traceResult {
	f.t.Helper()
	type ending struct {
		r   traceResult
		err error
	}
	done := make(chan ending)
	go func() {
		// The thread that starts the process is the only one that may control it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		r, err := f.traceHere(stdin, args, decide)
		done <- ending{r, err}
	}()
	e := <-done
	if errors.Is(e.err, unix.EPERM) || errors.Is(e.err, unix.ENOSYS) {
		f.t.Skipf("processes cannot be traced here: %v", e.err)
	}
	if e.err != nil {
		f.t.Fatal(e.err)
	}
	return e.r
}

func (f *folder) traceHere(stdin string, args []string, decide func(call) verdict) (r traceResult, err error) {
	dir, err := os.MkdirTemp("", "trace")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "0"), []byte(stdin), 0o600); err != nil {
		return r, err
	}
	var streams [3]*os.File
	for i := range streams {
		if streams[i], err = os.OpenFile(filepath.Join(dir, fmt.Sprint(i)), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return r, err
		}
		defer streams[i].Close()
	}
	cmd := f.command("", args...)
	pid, err := syscall.ForkExec(cmd.Path, cmd.Args, &syscall.ProcAttr{
		Dir:   cmd.Dir,
		Env:   cmd.Environ(),
		Files: []uintptr{streams[0].Fd(), streams[1].Fd(), streams[2].Fd()},
		Sys:   &syscall.SysProcAttr{Ptrace: true, Setpgid: true},
	})
	if err != nil {
		return r, err
	}
	tr := &tracer{pid: pid, decide: decide, counts: make(map[string]int), failing: make(map[int]syscall.Errno), known: map[int]bool{pid: true}}
	if r.code, r.signal, err = tr.run(); err != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		return r, err
	}
	r.calls = tr.calls
	for i, text := range []*string{&r.stdout, &r.stderr} {
		content, err := os.ReadFile(streams[i+1].Name())
		if err != nil {
			return r, err
		}
		*text = string(content)
	}
	return r, nil
}

// tracer controls one process, from the thread that started it.
type tracer struct {
	pid     int
	decide  func(call) verdict
	calls   []call
	counts  map[string]int
	failing map[int]syscall.Errno // threads within a call that is to fail
	known   map[int]bool          // threads that have reported their start
}

func (tr *tracer) run() (code int, ended syscall.Signal, err error) {
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(tr.pid, &status, unix.WALL, nil); err != nil {
		return 0, 0, fmt.Errorf("wait for the start: %w", err)
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(tr.pid, options); err != nil {
		return 0, 0, fmt.Errorf("ptrace: %w", err)
	}
	thread, signal := tr.pid, 0
	for {
		if err := syscall.PtraceSyscall(thread, signal); err != nil && !errors.Is(err, unix.ESRCH) {
			return 0, 0, fmt.Errorf("ptrace: %w", err)
		}
		for {
			// All threads of the process are of its group, and no other process that a test waits for is.
			thread, err = syscall.Wait4(-tr.pid, &status, unix.WALL, nil)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				return 0, 0, fmt.Errorf("wait: %w", err)
			}
			if status.Stopped() {
				break
			}
			if thread == tr.pid {
				if status.Signaled() {
					ended = status.Signal()
				}
				return status.ExitStatus(), ended, nil
			}
		}
		if signal, err = tr.stopped(thread, status); err != nil {
			return 0, 0, err
		}
	}
}

// stopped handles a thread that has stopped and returns the signal to deliver to it.
func (tr *tracer) stopped(thread int, status syscall.WaitStatus) (int, error) {
	const syscallStop = syscall.SIGTRAP | 0x80 // PTRACE_O_TRACESYSGOOD
	switch signal := status.StopSignal(); {
	case signal == syscallStop:
		return 0, tr.atCall(thread)
	case signal == syscall.SIGTRAP && status.TrapCause() > 0: // a thread was started
		return 0, nil
	case signal == syscall.SIGSTOP && !tr.known[thread]: // it was
		tr.known[thread] = true
		return 0, nil
	default:
		return int(signal), nil
	}
}

// syscallInfo is struct ptrace_syscall_info of ptrace(2), as it is at the entry of a call.
type syscallInfo struct {
	op     uint8
	_      [3]uint8
	_      uint32
	_, _   uint64
	number uint64
	args   [6]uint64
	_      uint64
}

const (
	getSyscallInfo = 0x420e // PTRACE_GET_SYSCALL_INFO, Linux 5.3
	atEntry        = 1      // PTRACE_SYSCALL_INFO_ENTRY
)

// atCall handles a thread at the entry or the exit of a system call.
func (tr *tracer) atCall(thread int) error {
	var info syscallInfo
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, getSyscallInfo, uintptr(thread), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	switch {
	case errno == unix.ESRCH: // killed meanwhile
		return nil
	case errno == unix.EIO:
		return fmt.Errorf("PTRACE_GET_SYSCALL_INFO: %w", unix.ENOSYS)
	case errno != 0:
		return fmt.Errorf("PTRACE_GET_SYSCALL_INFO: %w", errno)
	}
	if info.op != atEntry {
		failure, ok := tr.failing[thread]
		if !ok {
			return nil
		}
		delete(tr.failing, thread)
		return setCallResult(thread, failure)
	}
	name, ok := traced[info.number]
	if !ok {
		return nil
	}
	tr.counts[name]++
	c := call{n: len(tr.calls) + 1, name: name, nth: tr.counts[name], args: info.args}
	tr.calls = append(tr.calls, c)
	v := tr.decide(c)
	switch {
	case v.kill:
		return syscall.Kill(tr.pid, syscall.SIGKILL)
	case v.signal != 0:
		return syscall.Kill(tr.pid, v.signal)
	case v.fail != 0:
		tr.failing[thread] = v.fail
		return skipCall(thread)
	}
	return nil
}

// TestTracer checks the instrument: what it sees of a command, that it kills before the call and not
// after it, and that a call it makes fail has no effect.
func TestTracer(t *testing.T) {
	t.Parallel()
	f := newFolder(t, true)
	add := []string{"init", "--key-file", "vault.key"}
	r := f.trace("", add, func(call) verdict { return verdict{} })
	if r.code != exitOK || !strings.Contains(r.stderr, "vault.key") || len(f.read("vault.key")) != 65 {
		t.Fatalf("traced init: %+v", r.result)
	}
	counts := make(map[string]int)
	for _, c := range r.calls {
		counts[c.name]++
	}
	if counts["renameat2"] != 1 || counts["fsync"] < 2 || counts["write"] < 2 {
		t.Errorf("init made these calls: %v", counts)
	}
	remove(f, "vault.key")
	r = f.trace("", add, func(c call) verdict { return verdict{kill: c.name == "renameat2"} })
	if names := f.names(); r.signal != syscall.SIGKILL || len(names) != 1 || names[0] == "vault.key" {
		t.Errorf("killed before the rename: ended by %v, left %v", r.signal, names)
	}
	if !canFailCalls {
		t.Skip("calls cannot be made to fail on this processor")
	}
	r = f.trace("", add, func(c call) verdict {
		if c.name == "fsync" {
			return verdict{fail: unix.EIO}
		}
		return verdict{}
	})
	if r.code != exitFailed || !bytes.Contains([]byte(r.stderr), []byte("input/output error")) {
		t.Errorf("with a failing fsync: %+v", r.result)
	}
	f.wantNames()
}
