//go:build unix

package descriptor

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lookMilliseconds is how often a wait looks whether its context has ended.
const lookMilliseconds = 20

// awaitReadable waits until a read of f would not wait. A pipe opened without waiting reads as if it had
// ended until a writer has opened it, so it is polled: that sees a writer come.
func awaitReadable(ctx context.Context, f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var ready int
		var pollErr error
		err := conn.Control(func(fd uintptr) {
			ready, pollErr = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, lookMilliseconds)
		})
		switch {
		case err != nil:
			return err
		case pollErr != nil && !errors.Is(pollErr, unix.EINTR):
			return pollErr
		case ready > 0:
			return nil
		}
	}
}
