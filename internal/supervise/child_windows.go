package supervise

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// Status is how a command ended.
type Status struct {
	Code   int
	Signal syscall.Signal // 0
}

// SessionArgument is of use on Unix.
const SessionArgument = "__session"

// Session is of use on Unix.
func Session([]string) int { return 2 }

// EndBy is of use on Unix.
func EndBy(syscall.Signal) {}

// Child is a command that runs.
type Child struct {
	outputs outputs
	cmd     *exec.Cmd
}

// Start starts the command. An interrupt reaches it from the console itself, so from here on this process is deaf to it.
func Start(c Command) (*Child, error) {
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	child := &Child{cmd: &exec.Cmd{Path: c.Path, Args: c.Args, Env: c.Environment, Stdin: c.Stdin}}
	stdout, err := child.pipe(c, c.Stdout)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stdout.Close() }()
	stderr, err := child.pipe(c, c.Stderr)
	if err != nil {
		child.outputs.close()
		return nil, err
	}
	defer func() { _ = stderr.Close() }()
	child.cmd.Stdout, child.cmd.Stderr = stdout, stderr
	if err := child.cmd.Start(); err != nil {
		child.outputs.close()
		return nil, &StartError{err}
	}
	return child, nil
}

// pipe returns where the command is to write what goes to a stream.
func (c *Child) pipe(cmd Command, to *os.File) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if err := c.outputs.add(cmd.Values, r, to); err != nil {
		return nil, errors.Join(err, r.Close(), w.Close())
	}
	return w, nil
}

// Wait passes on what the command writes until it ends. The error is of the writing.
func (c *Child) Wait() (Status, error) {
	c.outputs.pump(func(o *output) error {
		_, err := o.filter.ReadFrom(o.from)
		return err
	})
	err := c.cmd.Wait()
	writeErr := c.outputs.wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Status{}, errors.Join(err, writeErr)
	}
	return Status{Code: c.cmd.ProcessState.ExitCode()}, writeErr
}
