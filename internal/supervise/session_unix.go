//go:build unix

package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/mazevault/vault-tool/internal/terminal"
)

// session is a command with a pseudo-terminal of its own.
type session struct {
	socket   *os.File // to its leader
	master   *os.File // the pseudo-terminal
	screen   *os.File // our terminal, where its output goes
	keyboard *keyboard
	reports  chan report // closed when the leader has ended
	resized  chan os.Signal
	resumed  chan os.Signal // by SIGCONT
	reads    atomic.Int64   // of the master: how many have begun and ended; odd while one waits
	over     chan struct{}  // closed when there are no more
}

// startSession starts the command on a pseudo-terminal, in the place of those of its streams that are terminals.
func (c *Child) startSession(cmd Command) (err error) {
	master, slave, err := openTerminal()
	if err != nil {
		return fmt.Errorf("make a pseudo-terminal: %w", err)
	}
	defer func() { _ = slave.Close() }()
	s := &session{
		master: master, reports: make(chan report, 1), over: make(chan struct{}),
		resized: make(chan os.Signal, 1), resumed: make(chan os.Signal, 1),
	}
	defer func() {
		if err != nil && s.socket != nil {
			_ = s.socket.Close()
		}
	}()
	files, err := c.streams(cmd, s, slave)
	if err != nil {
		_ = master.Close()
		return err
	}
	defer func() {
		for _, f := range files {
			if f != cmd.Stdin && f != slave {
				_ = f.Close()
			}
		}
	}()
	if state, err := term.GetState(int(s.screen.Fd())); err == nil {
		_ = term.Restore(int(slave.Fd()), state) // its settings begin as those of the terminal; else with the system's
	}
	s.resize()
	if s.keyboard, err = newKeyboard(cmd.Stdin, master); err != nil {
		return err
	}
	if err := c.startLeader(cmd, s, files); err != nil {
		return err
	}
	c.session = s
	return nil
}

// openTerminal makes a pseudo-terminal. A read of its master ends when that is closed, or at a deadline.
func openTerminal() (master, slave *os.File, err error) {
	blocking, slave, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = blocking.Close() }()
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, nil, errors.Join(err, slave.Close())
	}
	return os.NewFile(uintptr(fd), blocking.Name()), slave, nil
}

// resize makes the pseudo-terminal as large as ours; the kernel tells those in its foreground.
func (s *session) resize() {
	size, err := unix.IoctlGetWinsize(int(s.screen.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return
	}
	conn, err := s.master.SyscallConn()
	if err == nil {
		_ = conn.Control(func(fd uintptr) { _ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, size) }) // it has the size that it had
	}
}

// streams returns what the command has as standard input, output and error.
func (c *Child) streams(cmd Command, s *session, slave *os.File) ([]*os.File, error) {
	files := []*os.File{cmd.Stdin}
	if terminal.Is(cmd.Stdin) {
		files[0] = slave
	}
	for _, to := range []*os.File{cmd.Stdout, cmd.Stderr} {
		from, w := s.master, slave
		switch {
		case !terminal.Is(to):
			var err error
			if from, w, err = os.Pipe(); err != nil {
				return nil, err
			}
		case s.screen != nil: // both are
			files = append(files, slave)
			continue
		default:
			s.screen = to
		}
		if err := c.outputs.add(cmd.Values, from, to); err != nil {
			return nil, err
		}
		files = append(files, w)
	}
	return files, nil
}

// startLeader starts the leader of the session and tells it what to run.
func (c *Child) startLeader(cmd Command, s *session, files []*os.File) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	unix.CloseOnExec(pair[0])
	s.socket = os.NewFile(uintptr(pair[0]), "session")
	tty := 1
	if terminal.Is(cmd.Stderr) {
		tty = 2
	}
	self, err := os.Executable()
	if linked := "/proc/self/exe"; err != nil || exists(linked) { // which is this program, whatever now stands at its path
		self = linked
	}
	fds := []uintptr{files[0].Fd(), files[1].Fd(), files[2].Fd()}
	c.pid, err = syscall.ForkExec(self, leaderArguments(uintptr(pair[1]), uintptr(tty), cmd), &syscall.ProcAttr{
		Env: []string{}, Files: fds, Sys: &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: tty},
	})
	_ = unix.Close(pair[1])
	if err != nil {
		return fmt.Errorf("start the leader of a session: %w", err)
	}
	if err := writeEnvironment(s.socket, cmd.Environment); err != nil {
		return fmt.Errorf("tell the leader of a session: %w", err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// waitForSession is Wait for a command that has a terminal.
func (c *Child) waitForSession() (Status, error) {
	s := c.session
	defer func() { _ = s.socket.Close() }()
	signal.Notify(s.resized, unix.SIGWINCH)
	signal.Notify(s.resumed, unix.SIGCONT)
	defer signal.Stop(s.resized)
	defer signal.Stop(s.resumed)
	s.keyboard.start()
	defer s.keyboard.end()
	c.outputs.pump(s.read)
	go s.receive()
	ended := make(chan struct{})
	go func() {
		waitFor(c.pid, 0)
		close(ended)
	}()
	r, err := c.untilEnd()
	<-ended
	s.drain()
	s.keyboard.end()
	writeErr := c.outputs.wait()
	switch {
	case err != nil:
		return Status{}, errors.Join(err, writeErr)
	case r.kind == reportFailed:
		return Status{}, &StartError{syscall.Errno(r.number)}
	}
	return statusOf(r.status()), writeErr
}

func (s *session) receive() {
	defer close(s.reports)
	for {
		r, err := receive(s.socket)
		if err != nil {
			return
		}
		s.reports <- r
	}
}

// untilEnd returns the last report of the leader.
func (c *Child) untilEnd() (report, error) {
	s := c.session
	for {
		select {
		case sig := <-c.signals:
			if sig != unix.SIGPIPE {
				s.tell(sig.(syscall.Signal))
			}
		case <-s.resized:
			s.resize()
		case <-s.resumed: // in the foreground or not
			s.keyboard.resume()
		case r, ok := <-s.reports:
			switch {
			case !ok:
				return r, errors.New("the leader of the command's session has ended before the command")
			case r.kind != reportStopped:
				return r, nil
			}
			s.suspend()
		}
	}
}

func (s *session) tell(sig syscall.Signal) {
	_, _ = s.socket.Write([]byte{byte(sig)}) // the leader may have ended; that is noticed where its reports are read
}

// stopWithin is how soon a process stops that is told to, if it does: it does not where nobody could let it go on (POSIX, 11.1.4).
const stopWithin = 100 * time.Millisecond

// suspend stops this process and what else is in its group, as a stopped command does, until it is let go on; and then the command.
func (s *session) suspend() {
	s.keyboard.release()
	select {
	case <-s.resumed: // long ago
	default:
	}
	_ = syscall.Kill(0, syscall.SIGTSTP) // which is never caught: the runtime has no way back from that
	select {
	case <-s.resumed:
	case <-time.After(stopWithin):
	}
	s.resize()
	s.keyboard.resume()
	s.tell(unix.SIGCONT)
}

// read passes on what the command writes. The end of a pseudo-terminal is an error.
func (s *session) read(o *output) error {
	if o.from != s.master {
		_, err := o.filter.ReadFrom(o.from)
		return err
	}
	defer close(s.over)
	_, err := o.filter.Restless(counted{s.master, &s.reads})
	if errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// counted is the master, with its reads counted.
type counted struct {
	*os.File
	reads *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	c.reads.Add(1)
	defer c.reads.Add(1)
	return c.File.Read(p)
}

// quiet is for how long a pseudo-terminal has to be quiet when its command has ended, for what is left on it to be all there is. Without programs
// that the command has left behind its end is told by an error.
const quiet = 200 * time.Millisecond

// drain returns when all that the command wrote on its terminal has been read.
func (s *session) drain() {
	for before := int64(-1); ; {
		select {
		case <-s.over:
			return
		case <-time.After(quiet):
		}
		now := s.reads.Load()
		if now%2 == 1 && now == before {
			_ = s.master.Close() // which ends the pump
			return
		}
		before = now
	}
}
