package erase

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Registers erases what signals that arrived during earlier calls of [Do] saved of the registers: the
// last bytes of any value that was copied or compared. The kernel saves them on the thread's signal
// stack, which no [Do] overwrites, and there they stay until the next signal. So Registers sends every
// thread the one with which the runtime preempts goroutines, which does nothing when it comes unasked.
// [Flush] does the same by way of the runtime.
func Registers() {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil { // no /proc here
		Flush()
		return
	}
	process := os.Getpid()
	for _, thread := range threads {
		if id, err := strconv.Atoi(thread.Name()); err == nil {
			_ = unix.Tgkill(process, id, unix.SIGURG) // fails only for a thread that has ended
		}
	}
}
