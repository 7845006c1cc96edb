// Package supervise runs a command as a child, with values replaced in what it writes, and otherwise as if it had taken the place of
// this process: signals, terminal, job control and the end are the command's.
//
// Where standard output and error are no terminals, the command writes to pipes; it stays in the process group of this process,
// so the terminal's signals reach it without help. Where one is a terminal, the command gets a pseudo-terminal of its own
// with a session of its own, and what is typed goes there. Its session is led by a process between the two (see [Session]), because
// a command that led it itself could not be stopped (POSIX, 11.1.4: an orphaned process group).
//
// Non-guarantees: programs that the command leaves behind are not waited for on a terminal; they lose it. On pipes they are, until
// they close them.
package supervise

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/filter"
	"github.com/mazevault/vault-tool/internal/matcher"
)

// Command is what is to be run.
type Command struct {
	Path        string
	Args        []string // with the command's own name
	Environment []string // may be gone when Start has returned
	Stdin       *os.File
	Stdout      *os.File
	Stderr      *os.File
	Values      *matcher.Set // to be replaced in what it writes
}

// StartError is the system's reason for not starting the command.
type StartError struct{ Err error }

func (e *StartError) Error() string { return e.Err.Error() }
func (e *StartError) Unwrap() error { return e.Err }

// output is a stream of the command on its way through a filter.
type output struct {
	filter *filter.Filter
	from   *os.File
	err    error // valid when the pump has ended
}

// outputs are all of them.
type outputs struct {
	all     []*output
	running sync.WaitGroup
}

func (o *outputs) add(values *matcher.Set, from, to *os.File) error {
	f, err := filter.New(values, to)
	if err != nil {
		return err
	}
	o.all = append(o.all, &output{filter: f, from: from})
	return nil
}

// pump passes on, until its end, what read reads of each.
func (o *outputs) pump(read func(*output) error) {
	for _, out := range o.all {
		o.running.Go(func() {
			erase.Do(func() { // which does not reach into a goroutine from outside
				err := read(out)
				closeErr := out.filter.Close()
				if closeErr != nil { // so that the command notices, too
					_ = out.from.Close()
				}
				out.err = errors.Join(closeErr, err)
			})
		})
	}
}

// wait waits for the end of all pumps. A reader that went away is no error: the command has been told as well.
func (o *outputs) wait() error {
	o.running.Wait()
	var errs []error
	for _, out := range o.all {
		if !errors.Is(out.err, syscall.EPIPE) {
			errs = append(errs, out.err)
		}
	}
	return errors.Join(errs...)
}

// close gives up what was prepared and is not pumped.
func (o *outputs) close() {
	for _, out := range o.all {
		_ = out.filter.Close()
		_ = out.from.Close()
	}
}
