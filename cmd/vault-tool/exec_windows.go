package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

// execute runs the command as a child, for want of a way to be replaced by it, and ends as it does. An
// interrupt reaches the child from the console itself, so this process only waits.
func execute(ctx context.Context, path string, args, environment []string) error {
	cmd := exec.Command(path, args[1:]...)
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &childExit{exit.ExitCode()}
	}
	if err != nil {
		return notExecutable(args[0], err)
	}
	return nil
}
