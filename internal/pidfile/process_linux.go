package pidfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// heldProcess is a process that keeps its number while it is held.
type heldProcess struct{ pid, fd int }

func holdProcess(pid int) (heldProcess, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) { // before Linux 5.3, or filtered
		return heldProcess{pid, -1}, nil
	}
	return heldProcess{pid, fd}, err
}

func (p heldProcess) signal(signo syscall.Signal) error {
	if p.fd < 0 {
		return syscall.Kill(p.pid, signo)
	}
	return unix.PidfdSendSignal(p.fd, signo, nil, 0)
}

func (p heldProcess) release() {
	if p.fd >= 0 {
		_ = unix.Close(p.fd) // nothing was written through it
	}
}

const (
	// clockTicks is how many a second has in /proc/PID/stat: USER_HZ, the same on all architectures of Go.
	clockTicks = 100

	// startSlack is by how much the start of a process may seem to be later than the file that it wrote right then: the
	// one is counted in ticks, and the clock may have been set meanwhile.
	startSlack = 2 * time.Second
)

// startedBefore refuses a process that began after the file with its number was written: the one that wrote it has ended, and
// its number is another's now.
func startedBefore(pid int, written time.Time) error {
	started, err := startOf(pid)
	if err != nil {
		return nil // it cannot be told
	}
	if started.After(written.Add(startSlack)) {
		return fmt.Errorf("process %d began after the file was written: the number is another process's by now", pid)
	}
	return nil
}

// startOf returns when a process began: the 22nd field of /proc/PID/stat, in ticks since the start of the system.
func startOf(pid int) (time.Time, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return time.Time{}, err
	}
	const startField = 22
	// The second field is a name in parentheses, which may have anything in it.
	_, rest, ok := bytes.Cut(stat[bytes.LastIndexByte(stat, ')'):], []byte(" "))
	fields := bytes.Fields(rest)
	if !ok || len(fields) <= startField-3 {
		return time.Time{}, errors.New("unknown form of /proc/PID/stat")
	}
	ticks, err := strconv.ParseInt(string(fields[startField-3]), 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return time.Time{}, err
	}
	boot := time.Now().Add(-time.Duration(up.Nano()))
	return boot.Add(time.Duration(ticks) * (time.Second / clockTicks)), nil
}
