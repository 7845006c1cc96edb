// Package companion finds, checks, starts and asks vault-tool-net, the program beside vault-tool that talks to the
// network.
//
// It is started once for all requests that are made together, gets them in one message and answers in another (package
// exchange), and is gone when [Program.Ask] returns: killed, with all that it has started, if it has not ended in time.
// Its environment is cut to what clients of stores are configured by. What it writes to standard error
// goes nowhere, because the SDKs in it could quote a value there.
package companion

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/exchange"
)

// Timeout bounds the asking as a whole: start, tokens, retries, all requests.
const Timeout = 10 * time.Second

// timeToTell is what is left of the time when vault-tool-net gives up by itself, so that it can say what hung.
const timeToTell = 500 * time.Millisecond

// Program is vault-tool-net, wherever it is.
type Program struct {
	places  func() []string
	environ func() []string
	timeout time.Duration
}

// New returns the program that is looked for in the given directories, in turn. places and environ, the
// environment that is cut, are not called before they are needed.
func New(places, environ func() []string) *Program {
	return &Program{places: places, environ: environ, timeout: Timeout}
}

// Errors to branch on with errors.Is, beside those of the context; what is returned names the file.
var (
	// ErrMissing: the program is in none of the places.
	ErrMissing = errors.New("it is not installed")

	// ErrRefused: somebody else could have changed the program, which receives keys and secrets.
	ErrRefused = errors.New("it is not started")

	// ErrVersion: the program speaks another version of the protocol.
	ErrVersion = errors.New("it is of another release")

	// ErrBroken: the program cannot be started, or gives no answer that can be understood.
	ErrBroken = errors.New("it does not work")

	// ErrTimeout: the program was killed. It matches context.DeadlineExceeded.
	ErrTimeout error = timeoutError{}
)

type timeoutError struct{}

func (timeoutError) Error() string        { return "no answer in time" }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// failure is an error that names the program and matches one of the sentinels.
type failure struct {
	text     string
	sentinel error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.sentinel }

func missing(places []string) error {
	return &failure{fmt.Sprintf("%s is not there; it was looked for in %s", Name, strings.Join(places, " and ")), ErrMissing}
}

func refused(path, format string, args ...any) error {
	return &failure{fmt.Sprintf("%s is not started: %s", path, fmt.Sprintf(format, args...)), ErrRefused}
}

func broken(path, format string, args ...any) error {
	return &failure{fmt.Sprintf("%s %s", path, fmt.Sprintf(format, args...)), ErrBroken}
}

func versionFailure(path string, e *exchange.VersionError) error {
	return &failure{fmt.Sprintf("%s speaks version %d of the protocol, and this program version %d", path, e.Theirs, exchange.Version), ErrVersion}
}
