package supervise

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// EndBy ends this process by a signal, as the command was ended by it, so that who waits for this process sees no difference.
// It returns where that is not to be had.
func EndBy(s syscall.Signal) {
	// The runtime would print its stacks for some signals and ignore others. All zeros are the default action (rt_sigaction, on
	// every architecture).
	var action [4]uint64
	const maskBytes = 8
	_, _, err := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&action)), 0, maskBytes, 0, 0)
	if err != 0 && s != unix.SIGKILL {
		return
	}
	_ = syscall.Kill(syscall.Getpid(), s)
	const soon = 100 * time.Millisecond
	time.Sleep(soon)
}
