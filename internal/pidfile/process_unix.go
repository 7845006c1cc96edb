//go:build unix && !linux

package pidfile

import (
	"syscall"
	"time"
)

// heldProcess cannot be held here: the number may become another's.
type heldProcess struct{ pid int }

func holdProcess(pid int) (heldProcess, error) { return heldProcess{pid}, nil }

func (p heldProcess) signal(signo syscall.Signal) error { return syscall.Kill(p.pid, signo) }

func (heldProcess) release() {}

// startedBefore cannot tell here.
func startedBefore(int, time.Time) error { return nil }
