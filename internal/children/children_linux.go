// Package children runs commands of a process that lasts, and waits for those that are left to it.
package children

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Keeper has the children of a process. As process number 1, which it is alone in a container, that gets those whose
// parents have ended, and has to wait for them: they would stay as zombies. The zero value is ready to use.
type Keeper struct {
	mu  sync.Mutex
	own int // the number of the command that is run, 0 for none; who runs it waits for it
}

// Run is cmd.Run for a command that leads a group of processes ([AsGroup]). If ctx has ended by the time that the command
// has, for want of time, no process of the group survives it, not even one that takes no notice of SIGTERM.
func (c *Keeper) Run(ctx context.Context, cmd *exec.Cmd) error {
	c.mu.Lock()
	err := cmd.Start()
	if err == nil {
		c.own = cmd.Process.Pid
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	awaitEnd(cmd.Process.Pid)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // before Wait: until then the number is nobody else's
	}
	err = cmd.Wait()
	c.mu.Lock()
	c.own = 0
	c.mu.Unlock()
	if os.Getpid() == 1 {
		c.reap()
	}
	return err
}

// awaitEnd returns when a child has ended, and leaves it to be waited for.
func awaitEnd(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}

// Adopt waits for the children of others until ctx ends, where this is process number 1.
func (c *Keeper) Adopt(ctx context.Context) {
	if os.Getpid() != 1 {
		return
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	go func() {
		defer signal.Stop(ended)
		for {
			c.reap()
			select {
			case <-ended:
			case <-ctx.Done():
				return
			}
		}
	}()
}

// reap waits for the children that have ended and are not the command's.
func (c *Keeper) reap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		pid := pidOf(&info)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid == 0 || pid == c.own {
			return // the command's own is waited for by Run, which then comes here again
		}
		_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // it has ended; how is nobody's concern
	}
}

// pidOf returns si_pid of siginfo_t, which stands behind three numbers of 32 bits, aligned as a pointer is.
func pidOf(info *unix.Siginfo) int {
	const pointerBytes = unsafe.Sizeof(uintptr(0))
	const offset = (3*4 + pointerBytes - 1) / pointerBytes * pointerBytes
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), offset)))
}
