package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// execute runs the command as a child, for want of a way to be replaced by it, and ends as it does. An
// interrupt reaches the child from the console itself, so this process only waits: from here on it is
// deaf to what would otherwise end it before the command.
func execute(ctx context.Context, path string, args, environment []string) error {
	signal.Notify(make(chan os.Signal, 1), endingSignals...)
	if err := ctx.Err(); err != nil {
		return err
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &childExit{exit.ExitCode()}
	}
	if err != nil {
		return notStarted(args[0], err, environment)
	}
	return nil
}
