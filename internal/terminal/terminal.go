// Package terminal tells terminals from pipes and reads a secret from one without showing it.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// ErrInterrupted is returned by [ReadHidden] for Ctrl-C.
var ErrInterrupted = errors.New("interrupted")

// ErrSeveralLines is returned by [ReadHidden] when more follows the first line at once, which only a
// paste does. All of it has been consumed, so that the rest does not go to the shell.
var ErrSeveralLines = errors.New("more than one line was pasted")

// ErrControlCharacter is returned by [ReadHidden] for a line with control characters other than a tab:
// an arrow key, say, which would become a part of the secret that nobody sees.
var ErrControlCharacter = errors.New("a key that is no character was pressed")

// Is tells whether f is a terminal.
func Is(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// Keys of a terminal in raw mode.
const (
	keyInterrupt = 0x03 // Ctrl-C
	keyEOF       = 0x04 // Ctrl-D
	keyBackspace = 0x08
	keyEnter     = '\r'
	keyNewline   = '\n'
	keyKillLine  = 0x15 // Ctrl-U
	keyDelete    = 0x7f
)

// rubOut takes the last character of a line from the screen.
const rubOut = "\b \b"

const (
	// firstLineBytes is what a line begins with: enough for nearly all, and lockable under any limit.
	firstLineBytes = 512

	// maxLineBytes bounds one line of input.
	maxLineBytes = 1 << 20

	// pasteGap is how long after Enter further input counts as part of the same paste.
	pasteGap = 50 * time.Millisecond
)

// ReadHidden shows prompt on out and reads one line from the terminal tty into locked memory, without
// echo. Backspace and Ctrl-U edit; Enter or Ctrl-D ends the line. The terminal's state is restored in
// every case, that of a cancelled context included.
func ReadHidden(ctx context.Context, tty *os.File, out io.Writer, prompt string) (*lockedmem.Buffer, error) {
	return NewQuestions(tty, out).Ask(ctx, prompt, false)
}

// Questions are asked one after the other on a terminal, which nobody else may read in this process any more.
type Questions struct {
	tty  *os.File
	out  io.Writer
	keys *keyReader
}

// NewQuestions returns questions that are shown on out.
func NewQuestions(tty *os.File, out io.Writer) *Questions { return &Questions{tty: tty, out: out} }

// Ask is [ReadHidden], or where echo is set shows what is typed.
func (q *Questions) Ask(ctx context.Context, prompt string, echo bool) (*lockedmem.Buffer, error) {
	fd := int(q.tty.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return nil, fmt.Errorf("prepare the terminal: %w", err)
	}
	_, _ = io.WriteString(q.out, prompt) // the answer can be typed without it
	if q.keys == nil {
		q.keys = newKeyReader(q.tty)
	}
	shown := io.Discard
	if echo {
		shown = q.out
	}
	line, err := readLine(ctx, q.keys, shown)
	if restoreErr := term.Restore(fd, state); err == nil && restoreErr != nil {
		line.Destroy()
		err = fmt.Errorf("restore the terminal: %w", restoreErr)
	}
	_, _ = io.WriteString(q.out, "\n")
	return line, err
}

// readLine reads one line, and writes to shown what an echo of it is.
func readLine(ctx context.Context, keys *keyReader, shown io.Writer) (*lockedmem.Buffer, error) {
	line, err := lockedmem.New(firstLineBytes)
	if err != nil {
		return nil, err
	}
	n, control := 0, false
	for {
		key, err := keys.next(ctx, 0)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			line.Destroy()
			return nil, err
		case (err != nil || key == keyEOF) && control:
			line.Destroy()
			return nil, ErrControlCharacter
		case err != nil || key == keyEOF:
			line.Truncate(n)
			return line, nil
		case key == keyEnter || key == keyNewline:
			if err := refuseMore(ctx, keys); err != nil {
				line.Destroy()
				return nil, err
			}
			if control {
				line.Destroy()
				return nil, ErrControlCharacter
			}
			line.Truncate(n)
			return line, nil
		case key == keyInterrupt:
			line.Destroy()
			return nil, ErrInterrupted
		case key == keyBackspace || key == keyDelete:
			if n > 0 {
				_, _ = io.WriteString(shown, rubOut)
			}
			n = lastRuneStart(line.Bytes()[:n])
		case key == keyKillLine:
			_, _ = io.WriteString(shown, strings.Repeat(rubOut, utf8.RuneCount(line.Bytes()[:n])))
			n, control = 0, false
		case key < ' ' && key != '\t':
			control = true // the line is read to its end all the same: its rest is not for the shell
		case n == maxLineBytes:
			line.Destroy()
			return nil, fmt.Errorf("a line of more than %d bytes", maxLineBytes)
		default:
			if n == line.Len() {
				if line, err = lockedmem.Grow(line, min(2*n, maxLineBytes)); err != nil {
					return nil, err
				}
			}
			line.Bytes()[n] = key
			_, _ = shown.Write(line.Bytes()[n : n+1])
			n++
		}
	}
}

// lastRuneStart returns the length of b without its last UTF-8 character.
func lastRuneStart(b []byte) int {
	n := len(b)
	for n > 0 {
		n--
		if b[n]&0xC0 != 0x80 { // not a continuation byte
			break
		}
	}
	return n
}

// refuseMore consumes what follows a line within pasteGap and returns ErrSeveralLines if there is any.
func refuseMore(ctx context.Context, keys *keyReader) error {
	more := false
	for {
		key, err := keys.next(ctx, pasteGap)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF):
			if more {
				return ErrSeveralLines
			}
			return nil
		case err != nil:
			return err
		case key != keyNewline:
			more = true
		}
	}
}

// keyReader hands over a terminal's input key by key. Its goroutine stays in its read when the reader
// is left, so the terminal must not be read again by somebody else in this process.
type keyReader struct{ keys chan keyOrError }

type keyOrError struct {
	key byte
	err error
}

func newKeyReader(tty *os.File) *keyReader {
	r := &keyReader{keys: make(chan keyOrError)}
	go func() {
		var one [1]byte
		for {
			n, err := tty.Read(one[:])
			if n == 1 {
				r.keys <- keyOrError{key: one[0]}
				one[0] = 0
			}
			if err != nil {
				r.keys <- keyOrError{err: err}
				return
			}
		}
	}()
	return r
}

// next returns the next key. A gap above zero is how long to wait for it at the most.
func (r *keyReader) next(ctx context.Context, gap time.Duration) (byte, error) {
	var expired <-chan time.Time
	if gap > 0 {
		timer := time.NewTimer(gap)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case k := <-r.keys:
		return k.key, k.err
	case <-expired:
		return 0, os.ErrDeadlineExceeded
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
