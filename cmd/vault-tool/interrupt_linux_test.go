package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReleaseLosesNoSignal: what came before release has cancelled the command when release returns.
func TestReleaseLosesNoSignal(t *testing.T) {
	runtime.LockOSThread() // a signal to the process could go to another thread, and arrive later
	defer runtime.UnlockOSThread()
	for range 200 {
		ctx, cancel := context.WithCancelCause(context.Background())
		i := interrupts{cancel: cancel, exit: func(int) {}}
		i.catch()
		if err := unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		i.release()
		var interrupted *interruption
		if !errors.As(context.Cause(ctx), &interrupted) || interrupted.signal != unix.SIGTERM {
			t.Fatalf("the command ends with %v", context.Cause(ctx))
		}
	}
}

func TestReleaseWithoutSignal(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	i := interrupts{cancel: cancel, exit: func(int) { t.Error("ended") }}
	i.release() // nothing was caught
	i.catch()
	i.catch()
	i.release()
	if ctx.Err() != nil {
		t.Errorf("cancelled: %v", context.Cause(ctx))
	}
}
