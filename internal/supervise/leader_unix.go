//go:build unix

package supervise

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// SessionArgument is the first argument of this program where it is to lead a session: see [Session].
const SessionArgument = "__session"

// The leader of a session is told, through a socket, the length of the environment, as a number of 4 bytes, big-endian, and the
// environment, each variable with a NUL behind it; after that signals for the command, a byte each. It answers with reports.
const (
	lengthBytes = 4
	reportBytes = 1 + 4 // a kind and a number, big-endian
)

// Kinds of reports.
const (
	reportFailed  = 'f' // the command was not started; the number is the error's
	reportStopped = 's' // the command was stopped; the number is its wait status
	reportEnded   = 'e' // the command has ended; likewise
)

// leaderArguments are the arguments of this program for a leader: the descriptors of the socket and the terminal, and the command.
func leaderArguments(socket, tty uintptr, c Command) []string {
	return append([]string{os.Args[0], SessionArgument, strconv.Itoa(int(socket)), strconv.Itoa(int(tty)), c.Path}, c.Args...)
}

// Session leads the session of a command that has a terminal to itself, when this program is started with [SessionArgument] and
// the given arguments behind it. It starts the command in a process group of its own in the foreground, tells the process that
// it was started by when the command stops and ends, and hands on the signals that it is given. It returns the exit code, which
// nobody looks at.
func Session(args []string) int {
	const usage = 2
	if len(args) < 4 {
		return usage
	}
	fd, err := strconv.Atoi(args[0])
	tty, ttyErr := strconv.Atoi(args[1])
	if err != nil || ttyErr != nil {
		return usage
	}
	unix.CloseOnExec(fd)
	socket := os.NewFile(uintptr(fd), "session")
	pid, err := startLed(socket, tty, args[2], args[3:])
	if err != nil {
		var number syscall.Errno
		errors.As(err, &number)
		send(socket, reportFailed, uint32(number))
		return 1
	}
	go handOn(socket, pid)
	for {
		w := waitFor(pid, syscall.WUNTRACED)
		if !w.Stopped() {
			send(socket, reportEnded, uint32(w))
			return 0
		}
		send(socket, reportStopped, uint32(w))
	}
}

// startLed reads the environment and starts the command with it. Nothing of it is left when it returns.
func startLed(socket io.Reader, tty int, path string, args []string) (pid int, err error) {
	erase.Do(func() {
		var block *lockedmem.Buffer
		if block, err = readEnvironment(socket); err != nil {
			return
		}
		defer block.Destroy()
		pid, err = syscall.ForkExec(path, args, &syscall.ProcAttr{
			Env: variables(block.Bytes()), Files: []uintptr{0, 1, 2},
			Sys: &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: tty},
		})
	})
	erase.Flush()
	return pid, err
}

func readEnvironment(r io.Reader) (*lockedmem.Buffer, error) {
	var length [lengthBytes]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	block, err := lockedmem.New(int(binary.BigEndian.Uint32(length[:])))
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(r, block.Bytes()); err != nil {
		block.Destroy()
		return nil, err
	}
	return block, nil
}

// variables are those of a block, where they stand.
func variables(block []byte) []string {
	all := []string{}
	for len(block) > 0 {
		variable, rest, _ := bytes.Cut(block, []byte{0})
		all = append(all, lockedmem.View(variable))
		block = rest
	}
	return all
}

// writeEnvironment is what readEnvironment reads.
func writeEnvironment(w io.Writer, environment []string) error {
	size := 0
	for _, variable := range environment {
		size += len(variable) + 1
	}
	block, err := lockedmem.New(lengthBytes + size)
	if err != nil {
		return err
	}
	defer block.Destroy()
	text := binary.BigEndian.AppendUint32(block.Bytes()[:0], uint32(size))
	for _, variable := range environment {
		text = append(append(text, variable...), 0)
	}
	_, err = w.Write(text)
	return err
}

// handOn sends the command the signals that come. When nobody sends any more, who had the terminal has gone.
func handOn(socket io.Reader, pid int) {
	var number [1]byte
	for {
		if _, err := io.ReadFull(socket, number[:]); err != nil {
			_ = syscall.Kill(-pid, syscall.SIGHUP)
			return
		}
		s, whom := syscall.Signal(number[0]), pid
		if s == syscall.SIGCONT { // all that stopped together
			whom = -pid
		}
		_ = syscall.Kill(whom, s) // it may have ended
	}
}

func send(w io.Writer, kind byte, number uint32) {
	_, _ = w.Write(binary.BigEndian.AppendUint32([]byte{kind}, number)) // who does not read it has ended
}

// report is what a leader tells.
type report struct {
	kind   byte
	number uint32
}

func (r report) status() syscall.WaitStatus { return syscall.WaitStatus(r.number) }

func receive(r io.Reader) (report, error) {
	var b [reportBytes]byte
	_, err := io.ReadFull(r, b[:])
	return report{b[0], binary.BigEndian.Uint32(b[1:])}, err
}
