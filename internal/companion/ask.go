package companion

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/mazevault/vault-tool/internal/exchange"
)

// Argument is what the program is started with to answer.
const Argument = "answer"

// Ask has the program answer the requests: one record for each, in their order, together at most limit bytes. The
// caller destroys the message. An answer that is a failure is no error here. When ctx ends first, the error is its.
func (p *Program) Ask(ctx context.Context, requests []exchange.Record, limit int) (*exchange.Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := find(p.places())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout, ErrTimeout)
	defer cancel()
	type outcome struct {
		answers *exchange.Message
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		// Linux tells the child that its parent has died when the thread that started it ends. A locked one does not
		// end before.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		answers, err := p.converse(ctx, path, &exchange.Message{Within: timeFor(ctx), Records: requests}, limit)
		done <- outcome{answers, err}
	}()
	o := <-done
	return o.answers, o.err
}

// timeFor is how long the program may take for its answers.
func timeFor(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	return max(left-timeToTell, left/2)
}

// converse runs the program. It is gone when converse returns.
func (p *Program) converse(ctx context.Context, path string, requests *exchange.Message, limit int) (*exchange.Message, error) {
	cmd := exec.Command(path, Argument)
	cmd.Env = append([]string{}, environment(p.environ())...) // nil would be this process's own
	lead(cmd)
	to, from, err := start(cmd)
	if err != nil {
		return nil, broken(path, "cannot be started: %s", cause(err))
	}
	stop := context.AfterFunc(ctx, func() {
		kill(cmd)
		// What the program has started may have its end of the pipes.
		_ = to.Close()
		_ = from.Close()
	})
	answers, err := talk(to, from, requests, limit)
	_ = to.Close() // the program ends when its pipe does
	if err != nil && !endOfAnswers(err) {
		kill(cmd) // nobody knows what it is
	}
	ended := cmd.Wait() // how it ended matters only if there is no answer
	killed := !stop()
	_ = from.Close()
	switch {
	case killed && err != nil:
		return nil, stopped(ctx, path)
	case err != nil:
		return nil, misunderstood(path, err, ended)
	case len(answers.Records) != len(requests.Records):
		answers.Destroy()
		return nil, broken(path, "gave another number of answers than there were requests")
	}
	return answers, nil
}

// start starts the program with a pipe to it and one from it.
func start(cmd *exec.Cmd) (to, from *os.File, err error) {
	stdin, to, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	from, stdout, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, stdin.Close(), to.Close())
	}
	cmd.Stdin, cmd.Stdout = stdin, stdout
	err = cmd.Start()
	_, _ = stdin.Close(), stdout.Close() // the child has its own
	if err != nil {
		_, _ = to.Close(), from.Close()
		return nil, nil, err
	}
	return to, from, nil
}

// talk sends the requests and reads the answers. The pipe to the program stays open meanwhile: its end is the program's.
func talk(to, from *os.File, requests *exchange.Message, limit int) (*exchange.Message, error) {
	// One that has ended, or speaks another version, has left its answer and reads no more.
	writeErr := exchange.Write(to, requests)
	if errors.Is(writeErr, exchange.ErrMalformed) || errors.Is(writeErr, exchange.ErrTooLarge) {
		return nil, writeErr
	}
	return exchange.Read(from, limit)
}

// endOfAnswers tells that the program has closed its pipe, so that it is ending, if it has not ended.
func endOfAnswers(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// stopped says why the program was killed.
func stopped(ctx context.Context, path string) error {
	if errors.Is(context.Cause(ctx), ErrTimeout) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &failure{path + " gave no answer in time, and was stopped", ErrTimeout}
	}
	return ctx.Err()
}

// misunderstood says what is wrong with an answer, or with there being none.
func misunderstood(path string, err, ended error) error {
	var other *exchange.VersionError
	var exit *exec.ExitError
	switch {
	case errors.As(err, &other):
		return versionFailure(path, other)
	case errors.Is(err, exchange.ErrMalformed):
		return broken(path, "gave an answer that is not one: it may be another program")
	case errors.Is(err, exchange.ErrTooLarge):
		return broken(path, "gave an answer that is too large")
	case errors.As(ended, &exit) && exit.Exited():
		return broken(path, "gave no answer, and ended with exit code %d", exit.ExitCode())
	}
	return broken(path, "gave no answer")
}
