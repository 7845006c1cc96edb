//go:build unix

package main

import (
	"context"
	"os/signal"
	"syscall"
)

// execute replaces this process by the command. It returns only if that fails.
func execute(_ context.Context, path string, args, environment []string) error {
	signal.Reset(endingSignals...)
	return notExecutable(args[0], syscall.Exec(path, args, environment))
}
