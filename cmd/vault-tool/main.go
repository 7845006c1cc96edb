// Command vault-tool keeps a deployment's credentials in one encrypted file.
//
// It is a thin layer over package vaultfile: one file a command, each with its constructor, its
// options and its run method; errors.go maps errors to messages, hints and exit codes.
package main

import (
	"context"
	"os"
	"os/signal"
	"time"
)

func main() { os.Exit(run()) }

// interruptGrace is how long a command may take to end cleanly after a signal. What it writes is whole
// at every instant, so nothing is lost when it has to be left.
const interruptGrace = 3 * time.Second

// run executes the command line and returns the exit code. The first signal cancels the command; the
// second ends the process as if it had not been caught.
func run() int {
	hardenProcess()
	signals := make(chan os.Signal, 1)
	a := newApp()
	// On the side, because it takes as long as a short command: an earlier signal ends the process at once.
	go func() {
		for _, s := range endingSignals {
			if !signal.Ignored(s) { // as nohup has it
				signal.Notify(signals, s)
			}
		}
		close(a.signalsCaught)
	}()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)

	done := make(chan int, 1)
	go func() { done <- a.main(ctx, os.Args[1:]) }()
	var received os.Signal
	select {
	case code := <-done:
		return code
	case received = <-signals:
	}
	signal.Reset(endingSignals...)
	cancel(&interruption{received})
	select {
	case code := <-done:
		return code
	case <-time.After(interruptGrace):
		return exitInterrupted
	}
}

// interruption is why a command's context has ended (context.Cause), if it was a signal.
type interruption struct{ signal os.Signal }

func (i *interruption) Error() string { return "interrupted by " + i.signal.String() }
