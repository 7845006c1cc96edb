package main

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/supervise"
)

// runRedacted runs the command as a child and ends as it does. What starting it has left on the heap is erased before it is
// waited for.
func (a *app) runRedacted(cmd *cobra.Command, o execOptions, args []string) error {
	var values *values
	var child *supervise.Child
	err := a.flushedAction(func(ctx context.Context, args []string) error {
		return a.withEnvironment(ctx, o, args[0], func(e execution) (err error) {
			values = e.values
			child, err = a.startRedacted(ctx, e, args)
			return err
		})
	})(cmd, args)
	if values != nil {
		defer values.Destroy()
	}
	if err != nil {
		return err
	}
	debug.SetGCPercent(100) // the runtime's default: this command lasts
	status, err := child.Wait()
	var notStartedErr *supervise.StartError
	switch {
	case errors.As(err, &notStartedErr):
		return notStarted(args[0], notStartedErr.Err, nil)
	case err != nil && status.Code == 0:
		return outputError(err)
	case err != nil:
		a.warn("not all that the command wrote could be passed on: %v", err)
	}
	if status.Signal != 0 {
		values.Destroy()
		supervise.EndBy(status.Signal)
	}
	return &childExit{status.Code}
}

func (a *app) startRedacted(ctx context.Context, e execution, args []string) (*supervise.Child, error) {
	a.interrupts.release() // a signal that came before is not for the command, which does not start then
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	child, err := supervise.Start(supervise.Command{
		Path: e.path, Args: args, Environment: e.environment,
		Stdin: a.stdin, Stdout: a.stdout, Stderr: a.stderr, Values: e.values.Set,
	})
	var startErr *supervise.StartError
	if errors.As(err, &startErr) {
		return nil, notStarted(args[0], startErr.Err, e.environment)
	}
	return child, err
}
