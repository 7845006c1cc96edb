//go:build unix

package supervise

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/terminal"
)

// typedBytes is how much is read of a keyboard at a time. Passwords are typed, so it stands in locked memory.
const typedBytes = 1024

// keyboard hands what is typed on to a pseudo-terminal. Meanwhile the terminal is raw, because the other one does the editing. It
// is only used while this process is in the foreground: in the background it would be stopped.
type keyboard struct {
	tty    *os.File // nil: standard input is no terminal, and the rest does nothing
	to     *os.File
	typed  *lockedmem.Buffer
	wakeUp *os.File // a byte here makes the reader look what has changed
	woken  *os.File

	mu     sync.Mutex
	state  *term.State // while the terminal is raw: what it was before
	paused bool        // this process is about to stop, or has not begun
	ended  bool
}

func newKeyboard(stdin, to *os.File) (*keyboard, error) {
	k := &keyboard{to: to}
	if !terminal.Is(stdin) {
		return k, nil
	}
	var err error
	if k.woken, k.wakeUp, err = os.Pipe(); err != nil {
		return nil, err
	}
	if k.typed, err = lockedmem.New(typedBytes); err != nil {
		return nil, err
	}
	k.tty = stdin
	return k, nil
}

// start begins to hand on.
func (k *keyboard) start() {
	if k.tty == nil {
		return
	}
	k.resume()
	go erase.Do(k.handOn)
}

// resume makes the terminal raw, as soon as this process is in its foreground.
func (k *keyboard) resume() {
	if k.tty == nil {
		return
	}
	k.mu.Lock()
	k.paused = false
	k.takeTerminal()
	k.mu.Unlock()
	k.wake()
}

// takeTerminal makes the terminal raw where it can be used, and tells whether it can. k.mu is held.
func (k *keyboard) takeTerminal() bool {
	if k.paused || k.ended || !inForeground(k.tty) {
		return false
	}
	before, err := term.MakeRaw(int(k.tty.Fd())) // where that fails, it is usable all the same
	if err == nil && k.state == nil {            // else a shell has had it meanwhile
		k.state = before
	}
	return true
}

// release gives the terminal back as it was.
func (k *keyboard) release() {
	if k.tty == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != nil && inForeground(k.tty) { // else it is somebody else's by now
		_ = term.Restore(int(k.tty.Fd()), k.state)
	}
	k.state, k.paused = nil, true
}

// end is release for good. It may be called again.
func (k *keyboard) end() {
	if k.tty == nil {
		return
	}
	k.mu.Lock()
	k.ended = true
	k.mu.Unlock()
	k.release()
	k.wake()
}

func (k *keyboard) wake() { _, _ = k.wakeUp.Write([]byte{0}) }

// lookMilliseconds is how often it is looked whether this process has come to the foreground: a shell need not tell.
const lookMilliseconds = 100

// handOn hands on until the end of the keyboard, or of its use.
func (k *keyboard) handOn() {
	defer k.typed.Destroy()
	for {
		inUse, ended := k.use()
		if ended {
			return
		}
		waited, timeout := []unix.PollFd{{Fd: int32(k.woken.Fd()), Events: unix.POLLIN}}, lookMilliseconds
		if inUse {
			waited, timeout = append(waited, unix.PollFd{Fd: int32(k.tty.Fd()), Events: unix.POLLIN}), -1
		}
		if n, err := unix.Poll(waited, timeout); err != nil || n == 0 {
			continue // interrupted, or time to look
		}
		if waited[0].Revents != 0 {
			_, _ = k.woken.Read(k.typed.Bytes())
			continue
		}
		n, err := unix.Read(int(k.tty.Fd()), k.typed.Bytes())
		if n <= 0 && err != unix.EINTR && err != unix.EAGAIN {
			return
		}
		if n > 0 {
			if _, err := k.to.Write(k.typed.Bytes()[:n]); err != nil {
				return
			}
		}
	}
}

// use tells whether what is typed is for the command, and whether it is over.
func (k *keyboard) use() (inUse, ended bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != nil {
		return inForeground(k.tty), k.ended // a stop that nobody told has changed that
	}
	return k.takeTerminal(), k.ended
}
