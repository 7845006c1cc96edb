package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"time"

	"github.com/mazevault/vault-tool/internal/children"
)

// hookGrace is how long a command of --on-change may take to end after SIGTERM, within interruptGrace.
const hookGrace = 2 * time.Second

// runHooks runs --on-change and sends --signal when they are due, until ctx ends. It runs beside the rendering, so that a
// command that hangs keeps no file from being current; what changes meanwhile makes for one more run.
func (w *renderWatch) runHooks(ctx context.Context) {
	succeeded := "" // the last change for which they have
	for {
		r := hookRuns{}
		select {
		case <-ctx.Done():
			return
		case r.change = <-w.telling.due:
		}
		if r.change != succeeded {
			for _, hook := range w.telling.hooks {
				if err := hook.run(ctx, w); err != nil {
					r.failed = append(r.failed, fmt.Sprintf("%s: %v", hook.flag, err))
				}
			}
		}
		if len(r.failed) == 0 {
			succeeded = r.change
			if err := w.job.recordTold(ctx, r.change); err != nil {
				r.failed = []string{fmt.Sprintf("cannot record that the change has been told: %v", err)}
			}
		}
		select {
		case w.telling.results <- r:
		case <-ctx.Done():
			return
		}
	}
}

// hooksEnded takes in and reports what came of the hooks.
func (w *renderWatch) hooksEnded(r hookRuns) {
	if !w.telling.ended(r) {
		return
	}
	if len(r.failed) == 0 {
		w.note("what reads %s has been told of the change", w.job.place())
	}
	for _, failure := range r.failed {
		w.warn("%s; it is tried again", failure)
	}
}

// runOnChange runs the command of --on-change with the environment of this process. What it prints goes to standard error:
// standard output has the data of this command alone.
func (w *renderWatch) runOnChange(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, w.job.onChangeTimeout)
	defer cancel()
	w.hideKey()
	cmd := exec.CommandContext(limited, "sh", "-c", w.job.onChange)
	cmd.Stdout, cmd.Stderr = w.stderr, w.stderr
	children.AsGroup(cmd)
	cmd.WaitDelay = hookGrace
	err := w.children.Run(limited, cmd)
	if ctx.Err() == nil && limited.Err() != nil {
		return fmt.Errorf("the command did not end within %v and was ended (--on-change-timeout)", w.job.onChangeTimeout)
	}
	return err
}

// notifySocketEnv names the socket on which systemd and others listen for the state of a service (sd_notify(3)).
const notifySocketEnv = "NOTIFY_SOCKET"

// tellSupervisor sends a state to the supervisor, if one listens.
func (a *app) tellSupervisor(state string) (err error) {
	socket := a.getenv(notifySocketEnv)
	if socket == "" {
		return nil
	}
	connection, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	_, err = connection.Write([]byte(state))
	return err
}
