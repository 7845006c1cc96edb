//go:build unix

package main

import (
	"context"
	"syscall"
)

// execute replaces this process by the command. It returns only if that fails, or if a signal came before:
// the derivation of the key does not end early, and a command must not start after it was told to end.
func execute(ctx context.Context, path string, args, environment []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return notStarted(args[0], syscall.Exec(path, args, environment), environment)
}
