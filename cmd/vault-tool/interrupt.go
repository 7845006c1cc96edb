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
	cancel  context.CancelCauseFunc
	exit    func(code int) // os.Exit
	spared  os.Signal      // does not end the command
	held    bool           // no later signal ends the process before its grace is over
	once    sync.Once
	signals chan os.Signal // nil before catch
	settled chan struct{}  // closed when the command is cancelled, or will not be any more
}

// catch begins to catch signals; before that the first one ends the process. It costs a short command a
// tenth of its time, so it is called by what must not be cut off, or takes long: what writes, prompts or
// derives a key. It may be called again.
func (i *interrupts) catch() {
	i.once.Do(func() {
		i.signals, i.settled = make(chan os.Signal, 1), make(chan struct{})
		for _, s := range endingSignals {
			if s != i.spared && !signal.Ignored(s) { // as nohup has it
				signal.Notify(i.signals, s)
			}
		}
		go func() {
			received, ok := <-i.signals
			if !ok {
				close(i.settled)
				return
			}
			for _, s := range endingSignals {
				if s != i.spared && !i.held {
					signal.Reset(s)
				}
			}
			i.cancel(&interruption{received})
			close(i.settled)
			time.Sleep(interruptGrace)
			i.exit(exitInterrupted)
		}()
	})
}

// spare leaves a signal, to be named before catch, to somebody else.
func (i *interrupts) spare(s os.Signal) { i.spared = s }

// holdOn makes a second signal no stronger than the first, for a command that has something to clean up. It is called before catch.
func (i *interrupts) holdOn() { i.held = true }

// release ends the catching: when it returns, every signal that came before has cancelled the command, and
// the next one ends the process.
func (i *interrupts) release() {
	if i.signals == nil {
		return
	}
	signal.Stop(i.signals) // which waits for what the runtime has received and not handed on yet
	close(i.signals)
	<-i.settled
}

// interruption is why a command's context has ended (context.Cause), if it was a signal.
type interruption struct{ signal os.Signal }

func (i *interruption) Error() string { return "interrupted by " + i.signal.String() }
