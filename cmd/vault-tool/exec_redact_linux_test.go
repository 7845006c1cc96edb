package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// redactedVault has a value that is looked for.
const redactedVault = `{"A": "hunter2-value"}`

// TestExecRedactOnTerminal: the command has a terminal for all its streams, of the same size, which echoes and interrupts.
func TestExecRedactOnTerminal(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, redactedVault)
	r := onTerminal(t, dir, nil, "exec", "--redact", "--", "sh", "-c",
		`trap 'echo caught; exit 9' INT; test -t 0 && test -t 1 && test -t 2 && test "$(tty)" != "$REAL" && printf 'Name: '; read name; `+
			`echo "<$name> $A"; echo "$A" >&2; stty size; while :; do sleep 0.05; done`)
	r.await("Name: ")
	if r.state().Lflag&(unix.ECHO|unix.ISIG) != 0 {
		t.Error("the terminal is not raw")
	}
	r.keys("typed\r")
	r.await("Name: typed\r\n<typed> [A]\r\n[A]\r\n0 0\r\n")
	if err := unix.IoctlSetWinsize(int(r.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 77}); err != nil {
		t.Fatal(err)
	}
	r.keys(ctrlC)
	r.await("caught")
	r.exits(9)
	r.shows("hunter2", false)
}

// TestExecRedactKeyByKey: each character that is typed is seen, though it begins an encoding of some value.
func TestExecRedactKeyByKey(t *testing.T) {
	t.Parallel()
	r := onTerminal(t, newVaultDir(t, redactedVault), nil, "exec", "--redact", "--", "sh", "-c", `echo ready; read name; echo "$name"`)
	r.await("ready\r\n")
	shown := "ready\r\n"
	for _, key := range []string{"h", "6", "a", "h", "u"} {
		r.keys(key)
		shown += key
		r.await(shown)
	}
	r.keys("nter2-value\r")
	r.await("h6ahu[A]\r\nh6a[A]\r\n") // of what was typed slowly two characters stay
	r.exits(0)
}

// TestExecRedactTellsTheSize: who looks at the terminal makes it larger.
func TestExecRedactTellsTheSize(t *testing.T) {
	t.Parallel()
	r := onTerminal(t, newVaultDir(t, redactedVault), nil, "exec", "--redact", "--", "sh", "-c",
		`trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done`)
	r.await("ready")
	if err := unix.IoctlSetWinsize(int(r.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 77}); err != nil {
		t.Fatal(err)
	}
	r.await("33 77\r\n")
	r.exits(0)
}

// TestExecRedactForwardsSignals, on a terminal and on pipes.
func TestExecRedactForwardsSignals(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, redactedVault)
	for _, s := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM} {
		name := strings.TrimPrefix(unix.SignalName(s), "SIG")
		script := `trap 'echo "caught $A"; exit 9' ` + name + `; echo ready; while :; do sleep 0.05; done`
		r := onTerminal(t, dir, nil, "exec", "--redact", "--", "sh", "-c", script)
		r.await("ready")
		if err := r.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		r.await("caught [A]")
		r.exits(9)

		cmd := exec.Command("vault-tool", "exec", "--redact", "--", "sh", "-c", script)
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal types an interrupt
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(out)
		if err != nil || string(rest) != "caught [A]\n" {
			t.Errorf("%v on pipes: %q, %v", s, rest, err)
		}
		_ = cmd.Wait()
		if cmd.ProcessState.ExitCode() != 9 {
			t.Errorf("%v on pipes: %v", s, cmd.ProcessState)
		}
	}
}

// TestExecRedactEndsAsTheCommand compares with exec itself: exit codes, signals, and what cannot be started.
func TestExecRedactEndsAsTheCommand(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, redactedVault)
	writeFile(t, dir, "not-a-program", "\x7fELF", 0o700)
	writeFile(t, dir, "no-interpreter", "#!/no/such/interpreter\n", 0o700)
	for _, command := range [][]string{
		{"true"}, {"sh", "-c", "exit 200"}, {"sh", "-c", "kill -TERM $$"}, {"sh", "-c", "kill -KILL $$"}, {"sh", "-c", "kill -SEGV $$"},
		{"sh", "-c", "kill -PIPE $$"}, {"sh", "-c", "kill -USR1 $$"}, {"sh", "-c", "kill -INT $$"}, {"sh", "-c", "kill -QUIT $$"},
		{"./not-a-program"}, {"./no-interpreter"}, {"./secrets.vault"}, {"no-such-command"},
	} {
		end := func(flags ...string) (syscall.WaitStatus, string) {
			cmd := exec.Command("vault-tool", append(append([]string{"exec"}, flags...), append([]string{"--"}, command...)...)...)
			var stderr bytes.Buffer
			cmd.Dir, cmd.Env, cmd.Stderr = dir, []string{"PATH=" + os.Getenv("PATH")}, &stderr
			if err := cmd.Run(); cmd.ProcessState == nil {
				t.Fatal(err)
			}
			return cmd.ProcessState.Sys().(syscall.WaitStatus), stderr.String()
		}
		want, wantErr := end()
		if got, gotErr := end("--redact"); got != want || gotErr != wantErr {
			t.Errorf("%q: %v, want %v; %q, want %q", command, got, want, gotErr, wantErr)
		}
		r := onTerminal(t, dir, nil, append([]string{"exec", "--redact", "--"}, command...)...)
		code := want.ExitStatus()
		if want.Signaled() {
			code = -1
		}
		r.exits(code)
		if got := r.cmd.ProcessState.Sys().(syscall.WaitStatus); got != want {
			t.Errorf("%q on a terminal: %v, want %v", command, got, want)
		}
	}
}

// awaitTimes waits until the terminal shows text so many times.
func (r *terminalRun) awaitTimes(text string, times int) {
	r.t.Helper()
	for end := time.Now().Add(terminalWait); strings.Count(r.shown(), text) < times; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			_ = r.cmd.Process.Kill()
			r.t.Fatalf("the terminal does not show %q %d times but %q", text, times, r.shown())
		}
	}
}

// TestExecRedactJobControl has a shell stop the command, and let it go on, in the foreground and in the background.
func TestExecRedactJobControl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	dir := newVaultDir(t, redactedVault)
	writeFile(t, dir, "loop", "#!/bin/sh\necho \"up $A\"\nwhile read line; do echo \"got $line\"; done\n", 0o700)
	r := onTerminal(t, dir, []string{"PS1=$ ", "HISTFILE="}, "exec", "--only", "A", "--", "bash", "--norc", "--noprofile", "-i")
	r.await("$ ")
	r.keys("vault-tool exec --redact -- ./loop\r")
	r.await("up [A]")
	r.keys("one\r")
	r.await("got one")
	r.keys("\x1a")
	r.await("Stopped")
	r.keys("echo back-$((40+2))\r") // which the shell gets, and the terminal is as the shell wants it
	r.await("back-42")
	r.keys("fg\r")
	r.keys("two\r")
	r.await("got two")
	r.keys("\x1a")
	r.awaitTimes("Stopped", 2)
	r.keys("bg\r")
	r.await("loop &\r\n")
	r.keys("echo back-$((50+2))\r")
	r.await("back-52")
	r.keys("fg\r")
	r.keys("three\r")
	r.await("got three")
	r.keys(ctrlC)
	r.awaitTimes("$ ", 7) // the prompts: what is typed too early is still the command's
	r.keys("echo code-$?\r")
	r.await("code-130")
	r.keys("exit 5\r")
	r.exits(5)
}

// TestExecRedactWithPipesAndTerminal: each stream that is no terminal stays what it is.
func TestExecRedactWithPipesAndTerminal(t *testing.T) {
	t.Parallel()
	r := onTerminal(t, newVaultDir(t, redactedVault), nil, "exec", "--", "sh", "-c",
		`printf input | vault-tool exec --redact -- sh -c 'test ! -t 0 && test ! -t 1 && test -t 2 && cat && echo "out $A"; echo "err $A" >&2' | cat; `+
			`yes | vault-tool exec --redact -- sh -c 'yes "$A"' | head -n 1; vault-tool exec --redact -- sh -c 'echo "file $A" >&2' 2> file; cat file`)
	r.await("file [A]")
	r.exits(0)
	for _, text := range []string{"err [A]\r", "input", "out [A]\r", "\n[A]\r"} {
		r.shows(text, true)
	}
	r.shows("hunter2", false)
}

// TestExecRedactLeavesNobody: what the command leaves on its terminal is over with it, and its last words are shown.
func TestExecRedactLeavesNobody(t *testing.T) {
	t.Parallel()
	r := onTerminal(t, newVaultDir(t, redactedVault), nil, "exec", "--redact", "--", "sh", "-c",
		`(trap '' HUP; sleep 1000) & i=0; while [ $i -lt 2000 ]; do echo "line $i $A"; i=$((i+1)); done; echo "last $!"`)
	r.exits(0)
	r.shows("line 1999 [A]", true)
	r.shows("last ", true)
	_, last, _ := strings.Cut(r.shown(), "last ")
	pid, _, _ := strings.Cut(last, "\r\n")
	if err := exec.Command("kill", "-KILL", pid).Run(); err != nil {
		t.Errorf("kill %q: %v", pid, err)
	}
}
