package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The tests in this file run vault-tool on a pseudo-terminal and type when it asks; testscript's ttyin
// types before the program has switched the echo off.

// terminalWait bounds every wait for the tool, on the slowest of machines.
const terminalWait = 60 * time.Second

// terminalRun is a vault-tool on a terminal.
type terminalRun struct {
	t      *testing.T
	master *os.File
	slave  *os.File
	cmd    *exec.Cmd
	before unix.Termios

	mu     sync.Mutex
	output bytes.Buffer
}

// onTerminal starts vault-tool in dir with a terminal as all three streams.
func onTerminal(t *testing.T, dir string, env []string, args ...string) *terminalRun {
	t.Helper()
	r := &terminalRun{t: t}
	r.master, r.slave = openTerminal(t)
	r.before = r.state()
	r.cmd = exec.Command("vault-tool", args...)
	r.cmd.Dir = dir
	r.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TERM=xterm"}, env...)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = r.slave, r.slave, r.slave
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go r.collect()
	return r
}

func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		slave.Close()
		master.Close()
	})
	return master, slave
}

func (r *terminalRun) collect() {
	buf := make([]byte, 4096)
	for {
		n, err := r.master.Read(buf)
		r.mu.Lock()
		r.output.Write(buf[:n])
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (r *terminalRun) shown() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.output.String()
}

// await waits until the terminal shows text.
func (r *terminalRun) await(text string) {
	r.t.Helper()
	for end := time.Now().Add(terminalWait); !strings.Contains(r.shown(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			_ = r.cmd.Process.Kill()
			r.t.Fatalf("the terminal does not show %q but %q", text, r.shown())
		}
	}
}

// keys types, all at once, as a paste does.
func (r *terminalRun) keys(text string) {
	r.t.Helper()
	if _, err := r.master.WriteString(text); err != nil {
		r.t.Fatal(err)
	}
}

func (r *terminalRun) state() unix.Termios {
	r.t.Helper()
	state, err := unix.IoctlGetTermios(int(r.slave.Fd()), unix.TCGETS)
	if err != nil {
		r.t.Fatal(err)
	}
	return *state
}

// exits waits for the end, checks the exit code and that the terminal is as it was before.
func (r *terminalRun) exits(want int) {
	r.t.Helper()
	timer := time.AfterFunc(terminalWait, func() { _ = r.cmd.Process.Kill() })
	defer timer.Stop()
	err := r.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	const endOfOutput = "<end>"
	if _, err := r.slave.WriteString(endOfOutput); err != nil {
		r.t.Fatal(err)
	}
	r.await(endOfOutput)
	if got := r.cmd.ProcessState.ExitCode(); got != want {
		r.t.Errorf("exit code %d, want %d; the terminal shows %q", got, want, r.shown())
	}
	if after := r.state(); after != r.before {
		r.t.Errorf("the terminal's state is %+v, was %+v", after, r.before)
	}
}

func (r *terminalRun) shows(text string, want bool) {
	r.t.Helper()
	if strings.Contains(r.shown(), text) != want {
		r.t.Errorf("the terminal shows %q: %v, want %v; all of it: %q", text, !want, want, r.shown())
	}
}

// newVaultDir returns a directory with vault.key and, where json is not empty, a secrets.vault of it.
func newVaultDir(t *testing.T, json string) string {
	t.Helper()
	dir := t.TempDir()
	runTool(t, dir, "", 0, "init", "--quiet")
	if json != "" {
		runTool(t, dir, json, 0, "encrypt", "--quiet")
	}
	return dir
}

const (
	valuePrompt = "Value for N (not shown): "
	ctrlC       = "\x03"
	ctrlD       = "\x04"
	ctrlU       = "\x15"
	backspace   = "\x7f"
)

func TestTerminalAddShowsNoValue(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, "{}")
	r := onTerminal(t, dir, nil, "add", "--name", "N")
	r.await(valuePrompt)
	if r.state().Lflag&unix.ECHO != 0 {
		t.Error("the terminal echoes")
	}
	r.keys("wrong" + ctrlU + "hunter2-Valü" + backspace + "uX" + backspace + "e\r")
	r.exits(0)
	r.shows("hunter", false)
	r.shows("added N", true)
	if got, _ := runTool(t, dir, "", 0, "get", "N"); got != "hunter2-Value" {
		t.Errorf("the value is %q", got)
	}
}

func TestTerminalAddRefusals(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, "")
	for _, test := range []struct {
		name, keys, message string
		code                int
	}{
		{"several lines", "hunter2-one\rhunter2-two\rhunter2-three", "nothing was stored", exitUsage},
		{"nothing", "\r", "the value for N is empty", exitUsage},
		{"end of input", ctrlD, "the value for N is empty", exitUsage},
		{"Ctrl-C", "hunter2-half" + ctrlC, "interrupted", exitInterrupted},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := onTerminal(t, dir, nil, "add", "--name", "N", "--create")
			r.await(valuePrompt)
			r.keys(test.keys)
			r.exits(test.code)
			r.shows(test.message, true)
			r.shows("hunter2", false)
			if _, err := os.Stat(dir + "/secrets.vault"); err == nil {
				t.Error("a vault was made")
			}
		})
	}
}

// TestTerminalAddLooksBeforeItAsks has nobody type a value that cannot be stored, or is not needed.
func TestTerminalAddLooksBeforeItAsks(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, `{"N": "hunter2"}`)
	runTool(t, dir, "", 0, "init", "--quiet", "--key-file", "other.key")
	for _, test := range []struct {
		name, message string
		code          int
		flags         []string
	}{
		{"no vault", "hint: check --vault-file", exitNotFound, []string{"--vault-file", "none.vault"}},
		{"no key", "none.key", exitNotFound, []string{"--key-file", "none.key"}},
		{"no key for a new vault", "none.key", exitNotFound, []string{"--create", "--vault-file", "none.vault", "--key-file", "none.key"}},
		{"another key", "decryption failed", exitCannotOpen, []string{"--key-file", "other.key"}},
		{"another key, but a new vault if there is none", "decryption failed", exitCannotOpen, []string{"--create", "--key-file", "other.key"}},
		{"there already", "left as it is", exitOK, []string{"--if-absent"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := onTerminal(t, dir, nil, append([]string{"add", "N"}, test.flags...)...)
			r.exits(test.code)
			r.shows(test.message, true)
			r.shows("Value for", false)
		})
	}
}

func TestTerminalIsRestoredAfterASignal(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, "")
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		r := onTerminal(t, dir, nil, "add", "--name", "N", "--create")
		r.await(valuePrompt)
		if err := r.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		r.exits(exitInterrupted)
		r.shows("interrupted", true)
	}
}

func TestTerminalGetEndsTheLine(t *testing.T) {
	t.Parallel()
	r := onTerminal(t, newVaultDir(t, `{"N": "hunter2"}`), nil, "get", "N")
	r.exits(0)
	r.shows("hunter2\r\n<end>", true)
}

func TestTerminalEncryptSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, "")
	r := onTerminal(t, dir, nil, "--quiet", "encrypt")
	r.await("end with Ctrl-D")
	r.keys("{\"N\": \"value\"}\n" + ctrlD)
	r.exits(0)
	r.shows("created", false)

	r = onTerminal(t, dir, nil, "encrypt", "--vault-file", "other.vault")
	r.await("end with Ctrl-D")
	r.keys(ctrlC)
	r.exits(exitInterrupted)
}

func TestTerminalDestroyAsks(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, `{"N": "hunter2", "M": "hunter2"}`)
	for _, answer := range []string{"no\n", "\n", "y\n", ctrlD} {
		r := onTerminal(t, dir, nil, "destroy", "N")
		r.await("Type yes to go on:")
		r.keys(answer)
		r.exits(exitFailed)
		r.shows("nothing was changed", true)
	}
	r := onTerminal(t, dir, nil, "destroy", "N")
	r.await("Type yes to go on:")
	r.keys(ctrlC)
	r.exits(exitInterrupted)
	runTool(t, dir, "", exitOK, "get", "N")

	r = onTerminal(t, dir, nil, "destroy", "N", "--version", "1")
	r.await("the values of versions 1 of N")
	r.keys("yes\n")
	r.exits(exitOK)
	runTool(t, dir, "", exitNotFound, "get", "N")
	r = onTerminal(t, dir, nil, "destroy", "M", "--yes")
	r.exits(exitOK)
	r.shows("Type yes", false)
}

func TestTerminalExportShowsNothing(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, `{"N": "hunter2"}`)
	r := onTerminal(t, dir, nil, "export", "--format", "sh")
	r.exits(exitUsage)
	r.shows("hunter2", false)
	r = onTerminal(t, dir, nil, "export", "--format", "sh", "--show-values")
	r.exits(exitOK)
	r.shows("hunter2", true)
}

// TestTerminalProgress: a bar is drawn on a terminal while files are looked at, and has gone when their lines come.
func TestTerminalProgress(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, `{"N": "hunter2"}`)
	for _, test := range []struct {
		env  string
		args []string
		want bool
	}{{"X=", nil, true}, {"TERM=dumb", nil, false}, {"X=", []string{"--quiet"}, false}} {
		const enough = 8_000 // for the bar to be drawn before all are done: it is, after 150 ms
		args := append([]string{"verify", "vault.key"}, slices.Repeat([]string{"secrets.vault"}, enough)...)
		r := onTerminal(t, dir, []string{test.env}, append(args, test.args...)...)
		if err := unix.IoctlSetWinsize(int(r.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
			t.Fatal(err)
		}
		r.exits(exitCannotOpen)
		r.shows("verifying ", test.want)
		r.shows("ok           secrets.vault  1 secret", true)
	}
}

func TestTerminalColour(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, test := range []struct {
		env  string
		want bool
	}{{"X=", true}, {"NO_COLOR=1", false}, {"TERM=dumb", false}} {
		r := onTerminal(t, dir, []string{test.env}, "list")
		r.exits(exitNotFound)
		r.shows("\x1b[", test.want)
		r.shows("error:", true)
	}
}
