package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waitFor waits until a file is there.
func waitFor(t *testing.T, path string) {
	t.Helper()
	for range 1000 {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s does not come", path)
}

// TestEditLeavesNothing ends edits while the editor is open, in every way that leaves the tool time to clean up, and once without.
func TestEditLeavesNothing(t *testing.T) {
	if info, err := os.Stat("/dev/shm"); err != nil || !info.IsDir() {
		t.Skip("there is no /dev/shm")
	}
	f := newVault(t, true, map[string]string{"A": "hunter2-value"})
	f.write("editor", "#!/bin/sh\necho $1 > \"$PLACE.new\"\ncp \"$1\" \"$1.swp\"\nstat -c '%a %n' \"$1\" \"$(dirname \"$1\")\" > \"$PLACE.modes\"\nmv \"$PLACE.new\" \"$PLACE\"\nexec sleep 20\n", 0o700)
	left := ""
	for _, signals := range [][]os.Signal{
		{syscall.SIGTERM}, {syscall.SIGHUP}, {syscall.SIGTERM, syscall.SIGTERM, syscall.SIGHUP}, {os.Kill}, {syscall.SIGTERM},
	} {
		_ = os.Remove(f.path("place"))
		cmd := f.command("", "edit")
		cmd.Env = append(os.Environ(), "VISUAL="+f.path("editor"), "PLACE="+f.path("place"), "XDG_RUNTIME_DIR=")
		stderr, err := os.Create(f.path("stderr")) // no pipe, which an editor that goes on would keep open
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, f.path("place"))
		text := strings.TrimSpace(f.read("place"))
		if modes := f.read("place.modes"); !strings.HasPrefix(modes, "600 ") || !strings.Contains(modes, "\n700 ") {
			t.Errorf("modes %q", modes)
		}
		for _, s := range signals {
			if err := cmd.Process.Signal(s); err != nil && err != os.ErrProcessDone {
				t.Fatal(err)
			}
		}
		_ = cmd.Wait() // it was ended by a signal
		_ = stderr.Close()
		_, err = os.Stat(filepath.Dir(text))
		switch killed := signals[0] == os.Kill; {
		case killed && err != nil:
			t.Error("a killed process has cleaned up?")
		case killed:
			left = filepath.Dir(text) // for the next edit
		case err == nil:
			t.Errorf("%v left %s (%s)", signals, filepath.Dir(text), f.read("stderr"))
		}
	}
	if _, err := os.Stat(left); left == "" || err == nil {
		t.Errorf("%q, which a killed edit left, is there still", left)
	}
	f.wantSecrets(map[string]string{"A": "hunter2-value"})
}

// TestEditWithoutMemory refuses to edit where there is no file system in memory.
func TestEditWithoutMemory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to hide /dev/shm")
	}
	f := newVault(t, true, map[string]string{"A": "1"})
	script := `mount --make-rprivate / && mkdir -p "$1/empty" && for d in /dev/shm /run; do mount --bind "$1/empty" $d || exit 99; done
shift && EDITOR=true XDG_RUNTIME_DIR= TMPDIR=/var/tmp exec "$@"`
	run := func(args ...string) (string, error) {
		cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-c", script, "sh", f.dir, f.tool}, args...)...)
		cmd.Dir = f.dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("edit")
	var exit *exec.ExitError
	if exit, _ = err.(*exec.ExitError); exit == nil || exit.ExitCode() != exitInsecure {
		if exit != nil && (exit.ExitCode() == 99 || strings.Contains(out, "unshare")) {
			t.Skipf("no mounts here: %s", out)
		}
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(out, "--allow-disk") {
		t.Errorf("%s", out)
	}
	if out, err := run("edit", "--allow-disk"); err != nil || !strings.Contains(out, "nothing was changed") {
		t.Errorf("%v: %s", err, out)
	}
}
