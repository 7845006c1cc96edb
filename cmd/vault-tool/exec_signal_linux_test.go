package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestExecSignalledBeforeTheCommand: a signal that comes while the vault is being opened is not lost, and
// keeps the command from being started. It ends the wait for the key, too.
func TestExecSignalledBeforeTheCommand(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, `{"A": "one"}`)
	key, err := os.ReadFile(filepath.Join(dir, "vault.key"))
	if err != nil {
		t.Fatal(err)
	}
	keyOut, keyIn, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer keyIn.Close()
	cmd := exec.Command("vault-tool", "exec", "--key-file", "/dev/stdin", "--", "echo", "started")
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, keyOut, &stdout, &stderr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	err = cmd.Start()
	_ = keyOut.Close()
	if err != nil {
		t.Fatal(err)
	}
	writeKey(t, keyIn, key[:8])
	waitUntilRead(t, keyIn) // so signals are caught by now, and the derivation waits for the rest
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // though the rest of the key never comes; the exit code is looked at below
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit code %d, want %d; stdout %q, stderr %q", code, exitInterrupted, &stdout, &stderr)
	}
}

func writeKey(t *testing.T, w io.Writer, part []byte) {
	t.Helper()
	if _, err := w.Write(part); err != nil {
		t.Fatal(err)
	}
}

// waitUntilRead returns when the pipe is empty.
func waitUntilRead(t *testing.T, pipe *os.File) {
	t.Helper()
	for range 1000 {
		unread, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ) // FIONREAD
		if err != nil {
			t.Fatal(err)
		}
		if unread == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("nobody reads the key")
}

// TestExecTerminalIsTheCommands: the command has the terminal for its own, and what is typed there signals it.
func TestExecTerminalIsTheCommands(t *testing.T) {
	t.Parallel()
	r := onTerminal(t, newVaultDir(t, `{"A": "one"}`), nil, "exec", "--", "sh", "-c",
		`trap 'echo caught; exit 9' INT; test -t 0 && test -t 1 && test -t 2 && echo ready; while :; do sleep 0.05; done`)
	r.await("ready")
	r.keys(ctrlC)
	r.await("caught")
	r.exits(9)
}
