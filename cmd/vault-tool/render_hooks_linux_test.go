package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/pidfile"
)

// TestPIDFile: a signal goes to the process that wrote the file, and to no other.
func TestPIDFile(t *testing.T) {
	t.Parallel()
	target := exec.Command("sleep", "1000")
	if err := target.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.Process.Kill(); _ = target.Wait() })
	path := filepath.Join(t.TempDir(), "pid")
	write := func(age time.Duration) {
		t.Helper()
		if err := os.WriteFile(path, fmt.Appendln(nil, target.Process.Pid), 0o600); err != nil {
			t.Fatal(err)
		}
		written := time.Now().Add(-age)
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
	}
	nothing := syscall.Signal(0) // finds out whether a signal would be sent
	write(0)
	if err := pidfile.Signal(path, nothing); err != nil {
		t.Error(err)
	}
	write(time.Hour) // by a process that has ended since, whose number is the target's now
	if err := pidfile.Signal(path, nothing); err == nil || !strings.Contains(err.Error(), "began after the file was written") {
		t.Errorf("a stale file: %v", err)
	}

	write(0)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := pidfile.Signal(link, nothing); err != nil {
		t.Errorf("a link of one's own: %v", err)
	}
	if os.Getuid() != 0 {
		return
	}
	if err := os.Lchown(link, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if err := pidfile.Signal(link, nothing); err == nil || !strings.Contains(err.Error(), "is a link of user 65534") {
		t.Errorf("a link of another user: %v", err)
	}
}

// TestRenderWatchEndsHungCommand: a command that hangs does not keep later changes from being told.
func TestRenderWatchEndsHungCommand(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	f.mustRun("", "render", "--dir", "d", "--allow-disk")
	w := f.watch(t, nil, "--dir", "d", "--allow-disk", "--on-change-timeout", "3s",
		"--on-change", "grep -q 2 d/A && sleep 1000; cat d/A >> told")
	f.mustRun("2", "add", "--name", "A")
	w.until("it is ended", func() bool { return strings.Contains(w.stderr.String(), "did not end within 3s") })
	f.mustRun("3", "add", "--name", "A")
	w.until("the next change is told", f.holds("told", "3"))
	w.stop(syscall.SIGTERM, exitOK)
}

// TestRenderWatchEndsWholeGroup: nothing of a command that hangs goes on, not even what takes no notice of SIGTERM.
func TestRenderWatchEndsWholeGroup(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	f.mustRun("", "render", "--dir", "d", "--allow-disk")
	w := f.watch(t, nil, "--dir", "d", "--allow-disk", "--on-change-timeout", "300ms",
		"--on-change", "test -e once && exit; (trap '' TERM; exec sleep 1000) & echo $! > pid; mv pid once; wait")
	f.mustRun("2", "add", "--name", "A")
	w.until("it is ended", func() bool { return strings.Contains(w.stderr.String(), "did not end within 300ms") })
	w.until("the process has ended", func() bool {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(f.read("once")) + "/stat")
		return err != nil || bytes.Contains(stat, []byte(") Z "))
	})
	w.stop(syscall.SIGTERM, exitOK)
}

// TestPIDFileInDirectoryOfAnother: who owns the directory can give its name to any file in it, one of root's included.
func TestPIDFileInDirectoryOfAnother(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving files away takes root")
	}
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "pid")
	start := func(uid uint32) int {
		target := exec.Command("sleep", "1000")
		target.Dir = "/"
		target.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		if err := target.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = target.Process.Kill(); _ = target.Wait() })
		return target.Process.Pid
	}
	if err := os.Lchown(dir, appUser, appUser); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for uid, refused := range map[uint32]bool{0: true, appUser: false} {
		if err := os.WriteFile(path, fmt.Appendln(nil, start(uid)), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, link} {
			err := pidfile.Signal(name, 0)
			if (err != nil) != refused || refused && !strings.Contains(err.Error(), "its directory belongs to user 2001") {
				t.Errorf("%s with a process of user %d: %v", name, uid, err)
			}
		}
	}
}

// TestRenderWatchHangUp: SIGHUP ends no watcher.
func TestRenderWatchHangUp(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	w := f.watch(t, nil, "--dir", "d", "--allow-disk")
	if err := os.Remove(f.path("d/A")); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	w.until("the file is back", f.holds("d/A", "1"))
	w.stop(syscall.SIGTERM, exitOK)
}

// TestRenderWatchTellsOfRemovedFiles: the account of changes goes with the directory, and the watcher knows that it had
// rendered there.
func TestRenderWatchTellsOfRemovedFiles(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	w := f.watch(t, nil, "--dir", "d", "--allow-disk", "--on-change", "cat d/A >> told")
	if err := os.RemoveAll(f.path("d")); err != nil {
		t.Fatal(err)
	}
	f.mustRun("2", "add", "--name", "A")
	w.until("the change is told", f.holds("told", "2"))
	w.stop(syscall.SIGTERM, exitOK)
}

// TestRenderWatchReapsAsFirstProcess: in a container the watcher is process number 1, and waits for those whose parents have
// ended.
func TestRenderWatchReapsAsFirstProcess(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a process namespace takes root")
	}
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	w := &watching{t: t, cmd: f.command("", "render", "--watch", "--dir", "d", "--allow-disk",
		"--on-change", "(sleep 0.05; echo orphan >> orphans) & cat d/A >> told")}
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if err := exec.Command("unshare", "--pid", "--fork", "true").Run(); err != nil {
		t.Skip("no process namespaces here: ", err)
	}
	w.start()
	for i := range 3 {
		f.mustRun(strconv.Itoa(i+2), "add", "--name", "A")
		w.until("the orphan has ended", func() bool { return strings.Count(f.read("orphans"), "orphan") == i+1 })
	}
	w.until("no zombie is left", func() bool { return len(childrenOf(t, w.cmd.Process.Pid)) == 0 })
	w.stop(syscall.SIGTERM, exitOK)
}
