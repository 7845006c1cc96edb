package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"time"
)

// interruptGrace is how long a command may take to end cleanly after a signal. What it writes is whole
// at every instant, so nothing is lost when it has to be left.
const interruptGrace = 3 * time.Second

// interrupts makes the first signal cancel the command; the second ends the process as if it had not
// been caught.
type interrupts struct {
	cancel context.CancelCauseFunc
	once   sync.Once
}

// catch begins to catch signals; before that the first one ends the process. It costs a short command a
// tenth of its time, so it is called by what must not be cut off, or takes long: what writes, prompts or
// derives a key. It may be called again.
func (i *interrupts) catch() {
	i.once.Do(func() {
		signals := make(chan os.Signal, 1)
		for _, s := range endingSignals {
			if !signal.Ignored(s) { // as nohup has it
				signal.Notify(signals, s)
			}
		}
		go func() {
			received := <-signals
			signal.Reset(endingSignals...)
			i.cancel(&interruption{received})
			time.Sleep(interruptGrace)
			os.Exit(exitInterrupted)
		}()
	})
}

// interruption is why a command's context has ended (context.Cause), if it was a signal.
type interruption struct{ signal os.Signal }

func (i *interruption) Error() string { return "interrupted by " + i.signal.String() }
