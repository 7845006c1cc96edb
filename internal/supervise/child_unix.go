//go:build unix

package supervise

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/terminal"
)

// Status is how a command ended.
type Status struct {
	Code   int            // the exit code, or as a shell has it for a signal
	Signal syscall.Signal // 0 where it was none
}

// signalBase is what a shell adds to the number of a signal (POSIX, Shell Command Language 2.8.2).
const signalBase = 128

func statusOf(w syscall.WaitStatus) Status {
	if w.Signaled() {
		return Status{signalBase + int(w.Signal()), w.Signal()}
	}
	return Status{Code: w.ExitStatus()}
}

// Child is a command that runs.
type Child struct {
	outputs outputs
	signals chan os.Signal
	pid     int      // of the command or, where there is a session, of its leader
	session *session // nil: the command is in ours
}

// forwarded are the signals that go to the command. SIGPIPE is caught for its write to fail instead.
var forwarded = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, unix.SIGTERM, unix.SIGVTALRM, unix.SIGXCPU,
	unix.SIGIO, unix.SIGPIPE,
}

// Start starts the command. What it writes waits until Wait is called. From here on no signal ends this process by itself.
func Start(c Command) (*Child, error) {
	child := &Child{signals: make(chan os.Signal, 16)}
	for _, s := range forwarded {
		if !signal.Ignored(s) { // as nohup has it; the command inherits that
			signal.Notify(child.signals, s)
		}
	}
	start := child.startOnPipes
	if terminal.Is(c.Stdout) || terminal.Is(c.Stderr) {
		start = child.startSession
	}
	if err := start(c); err != nil {
		child.outputs.close()
		signal.Stop(child.signals)
		return nil, err
	}
	return child, nil
}

// Wait passes on what the command writes, and what it is told, until it ends. The error is of the writing.
func (c *Child) Wait() (Status, error) {
	defer signal.Stop(c.signals)
	if c.session != nil {
		return c.waitForSession()
	}
	c.outputs.pump(func(o *output) error {
		_, err := o.filter.ReadFrom(o.from)
		return err
	})
	ended := make(chan syscall.WaitStatus)
	go func() { ended <- waitFor(c.pid, 0) }()
	for {
		select {
		case s := <-c.signals:
			c.forward(s)
		case w := <-ended:
			return statusOf(w), c.outputs.wait()
		}
	}
}

// waitFor waits for a child to end, or to do what options say. Process number 1, which this is alone in a container, gets the children of
// processes that have ended, too: those that end meanwhile are waited for, or they would stay as zombies.
func waitFor(pid, options int) syscall.WaitStatus {
	whom := pid
	if os.Getpid() == 1 {
		whom = -1
	}
	var w syscall.WaitStatus
	for {
		got, err := syscall.Wait4(whom, &w, options, nil)
		if got == pid || err != nil && !errors.Is(err, syscall.EINTR) {
			return w
		}
	}
}

// forward sends a signal on. What is typed at a terminal has reached the whole process group.
func (c *Child) forward(s os.Signal) {
	if s == unix.SIGPIPE || (s == unix.SIGINT || s == unix.SIGQUIT) && typed() {
		return
	}
	_ = syscall.Kill(c.pid, s.(syscall.Signal)) // it may have ended
}

// typed tells whether this process has a terminal and is in its foreground, so that an interrupt comes from there.
func typed() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer func() { _ = tty.Close() }()
	return inForeground(tty)
}

func inForeground(tty *os.File) bool {
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// startOnPipes starts the command in this process group.
func (c *Child) startOnPipes(cmd Command) error {
	var toClose []*os.File
	defer func() {
		for _, f := range toClose {
			_ = f.Close()
		}
	}()
	files := []uintptr{cmd.Stdin.Fd()}
	for _, to := range []*os.File{cmd.Stdout, cmd.Stderr} {
		if len(files) > 1 && sameFile(cmd.Stdout, to) { // one pipe keeps the order in which they are written to
			files = append(files, files[1])
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		toClose = append(toClose, w)
		if err := c.outputs.add(cmd.Values, r, to); err != nil {
			_ = r.Close()
			return err
		}
		files = append(files, w.Fd())
	}
	pid, err := syscall.ForkExec(cmd.Path, cmd.Args, &syscall.ProcAttr{Env: cmd.Environment, Files: files})
	if err != nil {
		return &StartError{err}
	}
	c.pid = pid
	return nil
}

func sameFile(a, b *os.File) bool {
	infoA, errA := a.Stat()
	infoB, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
