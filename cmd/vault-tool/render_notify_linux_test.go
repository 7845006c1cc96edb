package main

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestRenderWatchWithoutInotify runs a watcher as a user who has used up what the system has of inotify(7). The files follow
// the vault all the same: here when they are told to look, with SIGHUP. That they also look by themselves now and then is for
// package provider to test, where the time between can be set.
func TestRenderWatchWithoutInotify(t *testing.T) {
	t.Parallel()
	const exhaust = "echo 0 > /proc/sys/user/max_inotify_instances" // of a user namespace of its own (namespaces(7))
	if output, err := exec.Command("unshare", "--user", "--map-root-user", "sh", "-c", exhaust).CombinedOutput(); err != nil {
		t.Skipf("no user namespace here: %v: %s", err, output)
	}
	f := newVault(t, true, map[string]string{"A": "1"})
	cmd := f.command("", "--user", "--map-root-user", "sh", "-c", exhaust+` && exec "$@"`, "sh",
		f.tool, "render", "--watch", "--dir", "d", "--allow-disk")
	cmd.Path, _ = exec.LookPath("unshare")
	cmd.Args[0] = "unshare"
	w := &watching{t: t, cmd: cmd}
	w.start()
	w.until("it is told", func() bool { return strings.Contains(w.stderr.String(), "sysctl") })
	if text := w.stderr.String(); strings.Count(text, "warning:") != 1 || !strings.Contains(text, "does not notify of changes, files are looked at every 30s") ||
		strings.Contains(text, "stay as they are") {
		t.Errorf("it says: %s", text)
	}
	f.mustRun("2", "add", "--name", "A")
	if err := w.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	w.until("the file is current", f.holds("d/A", "2"))
	w.stop(syscall.SIGTERM, exitOK)
}
