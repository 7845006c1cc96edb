//go:build unix

package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// memoryDir returns an empty directory on a memory file system.
func memoryDir(t *testing.T) string {
	t.Helper()
	const shm = "/dev/shm"
	if _, err := os.Stat(shm); err != nil {
		t.Skip("no " + shm + " here")
	}
	dir, err := os.MkdirTemp(shm, "vault-tool-test")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestRenderInMemoryOnly(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	inMemory := memoryDir(t)
	f.mustRun("", "render", "--dir", filepath.Join(inMemory, "d"))
	f.write("t", `{{ secret "A" }}`, 0o600)
	f.mustRun("", "render", "--template", "t", "--output", filepath.Join(inMemory, "out"))
	if content, err := os.ReadFile(filepath.Join(inMemory, "out")); err != nil || string(content) != "1" {
		t.Errorf("%q, %v", content, err)
	}
	if r := f.run("", "render", "--dir", "d"); r.code == exitOK {
		t.Skip("the directory for temporary files is in memory")
	}
	f.wantFailure(exitInsecure, []string{"not on a memory file system", "--allow-disk"}, "", "render", "--dir", "d")
	f.wantFailure(exitInsecure, []string{"not on a memory file system"}, "", "render", "--template", "t", "--output", "out")
	f.wantNames("secrets.vault", "secrets.vault.lock", "vault.key", "t")
}

// output collects what a process prints, for a test to wait for.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// watching is a running render --watch.
type watching struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr output
}

func (f *folder) watch(t *testing.T, env []string, args ...string) *watching {
	t.Helper()
	w := &watching{t: t, cmd: f.command("", append([]string{"render", "--watch"}, args...)...)}
	w.cmd.Env = append(w.cmd.Env, env...)
	w.start()
	return w
}

// start starts the watcher and waits until it is ready.
func (w *watching) start() {
	w.t.Helper()
	w.cmd.Stdout, w.cmd.Stderr = &w.stdout, &w.stderr
	w.cmd.WaitDelay = 10 * time.Second // an --on-change that outlives it keeps standard error open
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	w.until("it is ready", func() bool { return strings.Contains(w.stderr.String(), "ready; watching ") })
}

// until waits for a condition.
func (w *watching) until(what string, reached func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !reached(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain until %s; stderr: %s", what, &w.stderr)
		}
	}
}

// stop ends the watcher with a signal. One that takes longer than interruptGrace ends with another code.
func (w *watching) stop(signal os.Signal, want int) {
	w.t.Helper()
	if err := w.cmd.Process.Signal(signal); err != nil {
		w.t.Fatal(err)
	}
	_ = w.cmd.Wait()
	if code := w.cmd.ProcessState.ExitCode(); code != want {
		w.t.Errorf("exit %d instead of %d after %v; stderr: %s", code, want, signal, &w.stderr)
	}
}

func (f *folder) holds(path, want string) func() bool {
	return func() bool {
		content, err := os.ReadFile(f.path(path))
		return err == nil && string(content) == want
	}
}

func TestRenderWatch(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1", "B": "2", "OTHER": "x"})
	w := f.watch(t, nil, "--dir", "d", "--allow-disk", "--except", "OTHER", "--json", "--on-change", `echo ran; cat d/A >> runs; echo >> runs; exit 3`)
	if !f.holds("d/A", "1")() || f.read("runs") != "" {
		t.Errorf("at the start: %q, runs %q", f.read("d/A"), f.read("runs"))
	}
	f.mustRun("new\n", "add", "--name", "A")
	w.until("--on-change ran", func() bool { return strings.HasPrefix(f.read("runs"), "new\n") })
	w.until("its failure is told", func() bool { return strings.Contains(w.stderr.String(), "--on-change: exit status 3") })
	f.mustRun("y\n", "add", "--name", "OTHER") // changes no file
	f.mustRun("3\n", "add", "--name", "C")
	f.mustRun("", "rm", "B")
	w.until("the files are current", func() bool {
		_, err := os.Lstat(f.path("d/B"))
		return f.holds("d/C", "3")() && os.IsNotExist(err)
	})
	f.mustRun("", "rotate-key", "--in-place") // changes no secret
	f.mustRun("newer\n", "add", "--name", "A")
	w.until("--on-change ran", func() bool { return strings.HasSuffix(f.read("runs"), "newer\n") })
	w.stop(syscall.SIGTERM, exitOK)
	if f.read("d/OTHER") != "" || !f.holds("d/A", "newer")() {
		t.Error("the files are wrong at the end")
	}
	lines := strings.Split(strings.TrimSpace(w.stdout.String()), "\n")
	if len(lines) < 3 || !strings.Contains(lines[1], `"written":["A"],"unchanged":["B"]`) || strings.Contains(w.stdout.String(), "ran") {
		t.Errorf("stdout: %s", &w.stdout)
	}

	// The next watcher catches up with what changed meanwhile, and tells the program.
	f.mustRun("newest\n", "add", "--name", "A")
	w = f.watch(t, nil, "--dir", "d", "--allow-disk", "--except", "OTHER", "--on-change", `cat d/A > caught-up`)
	w.until("--on-change ran", f.holds("caught-up", "newest"))
	w.stop(syscall.SIGINT, exitInterrupted)
}

// TestRenderWatchKeepsFiles: a vault that does not open, and a place that cannot be written to, are told once, and then the
// watcher goes on.
func TestRenderWatchKeepsFiles(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	f.mustRun("", "render", "--dir", "d", "--allow-disk")
	w := f.watch(t, nil, "--dir", "d", "--allow-disk")
	good := f.read("secrets.vault")
	f.put("secrets.vault", "broken", 0o600)
	w.until("the failure is told", func() bool { return strings.Contains(w.stderr.String(), "the files stay as they are") })
	time.Sleep(1500 * time.Millisecond) // it has been tried again by now
	f.put("secrets.vault", good, 0o600)
	w.until("the end of it is told", func() bool { return strings.Contains(w.stderr.String(), "secrets.vault opens again") })
	if n := strings.Count(w.stderr.String(), "warning: "); n != 1 || !f.holds("d/A", "1")() {
		t.Errorf("told %d times: %s", n, &w.stderr)
	}

	f.write("d/B", "foreign", 0o600)
	f.mustRun("2\n", "add", "--name", "B")
	w.until("the conflict is told", func() bool { return strings.Contains(w.stderr.String(), "d/B; it is tried again") })
	if err := os.Remove(f.path("d/B")); err != nil {
		t.Fatal(err)
	}
	w.until("the file is there", f.holds("d/B", "2"))
	w.stop(syscall.SIGTERM, exitOK)

	f.write("secrets.vault", "broken", 0o600)
	f.wantFailure(exitCannotOpen, nil, "", "render", "--watch", "--dir", "d", "--allow-disk")
}

func TestRenderWatchTemplate(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	f.write("t", `a={{ secret "A" }}{{ if has "HOME" }} home{{ secret "HOME" }}{{ end }}`, 0o600) // no secret comes from the environment
	w := f.watch(t, nil, "--template", "t", "--output", "out", "--allow-disk", "--on-change", "touch changed")
	if !f.holds("out", "a=1")() {
		t.Errorf("out holds %q", f.read("out"))
	}
	f.mustRun("2\n", "add", "--name", "A")
	w.until("the file is current", f.holds("out", "a=2"))
	w.until("--on-change ran", func() bool { _, err := os.Lstat(f.path("changed")); return err == nil })
	f.mustRun("", "rm", "A")
	w.until("the missing secret is told", func() bool { return strings.Contains(w.stderr.String(), "t:1: secret not found: A") })
	if !f.holds("out", "a=2")() {
		t.Errorf("out holds %q", f.read("out"))
	}
	f.mustRun("3\n", "add", "--name", "A")
	w.until("the file is current", f.holds("out", "a=3"))
	w.stop(syscall.SIGTERM, exitOK)
}

// TestRenderWatchTemplateFromPipe: a template that can be read only once serves for all renderings.
func TestRenderWatchTemplateFromPipe(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString(`a={{ secret "A" }}`); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	run := &watching{t: t, cmd: f.command("", "render", "--watch", "--template", "/dev/fd/3", "--output", "out", "--allow-disk")}
	run.cmd.ExtraFiles = []*os.File{r}
	run.start()
	f.mustRun("2", "add", "--name", "A")
	run.until("the file is written anew", func() bool { return f.read("out") != "a=1" })
	if !f.holds("out", "a=2")() {
		t.Errorf("out holds %q", f.read("out"))
	}
	run.stop(syscall.SIGTERM, exitOK)
}

// TestRenderWatchSignal sends a signal to a process, whose number is read anew each time.
func TestRenderWatchSignal(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "0"})
	f.mustRun("", "render", "--dir", "d", "--allow-disk")
	w := f.watch(t, nil, "--dir", "d", "--allow-disk", "--signal", "usr1", "--pid-file", "pid")
	for i, c := range []struct {
		pid  string
		told string
	}{
		{"", "no such file"}, {"1\n", "does not hold the number of a process"}, {"-5", "does not hold"}, {"0", "does not hold"}, {"x", "does not hold"},
		{strconv.Itoa(w.cmd.Process.Pid), "vault-tool itself"}, {"4194305", "no such process"}, {strings.Repeat("0", 40) + "77", "does not hold"},
	} {
		if c.pid != "" {
			f.write("pid", c.pid, 0o600)
		}
		before := len(w.stderr.String())
		f.mustRun(strconv.Itoa(i+1), "add", "--name", "A")
		w.until(c.told, func() bool { return strings.Contains(w.stderr.String()[before:], c.told) })
	}
	target := exec.Command("sh", "-c", `trap 'touch signalled' USR1; touch trapped; while :; do sleep 0.1; done`)
	target.Dir = f.dir
	if err := target.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.Process.Kill(); _ = target.Wait() })
	exists := func(name string) func() bool {
		return func() bool { _, err := os.Lstat(f.path(name)); return err == nil }
	}
	w.until("the target is ready", exists("trapped"))
	f.write("pid", strconv.Itoa(target.Process.Pid)+"\n", 0o600)
	f.mustRun("last", "add", "--name", "A")
	w.until("the signal came", exists("signalled"))
	if os.Getuid() == 0 { // a file of another user may name that user's processes only
		if err := os.Chown(f.path("pid"), 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(f.path("signalled")); err != nil {
			t.Fatal(err)
		}
		f.mustRun("really last", "add", "--name", "A")
		w.until("it is refused", func() bool { return strings.Contains(w.stderr.String(), "the file belongs to user 65534 and process") })
		if exists("signalled")() {
			t.Error("the signal was sent")
		}
	}
	w.stop(syscall.SIGTERM, exitOK)
}

// TestRenderWatchHungCommand: a command that hangs keeps no file from being current, and ends with the watcher.
func TestRenderWatchHungCommand(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	f.mustRun("", "render", "--dir", "d", "--allow-disk")
	w := f.watch(t, nil, "--dir", "d", "--allow-disk", "--on-change", "sleep 1000 & echo $! > hung; wait")
	f.mustRun("2", "add", "--name", "A")
	w.until("the command runs", func() bool { return strings.HasSuffix(f.read("hung"), "\n") })
	f.mustRun("3", "add", "--name", "A")
	w.until("the file is current", f.holds("d/A", "3"))
	pid, err := strconv.Atoi(strings.TrimSpace(f.read("hung")))
	if err != nil {
		t.Fatal(err)
	}
	w.stop(syscall.SIGTERM, exitOK)
	w.until("the command is gone", func() bool {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return syscall.Kill(pid, 0) != nil || err == nil && strings.Contains(string(status), ") Z ") // where nobody reaps it
	})
}

// TestRenderTellsSupervisor speaks sd_notify(3).
func TestRenderTellsSupervisor(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	address := &net.UnixAddr{Name: filepath.Join(f.dir, "notify"), Net: "unixgram"}
	socket, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	heard := func(want string) {
		t.Helper()
		buf := make([]byte, 100)
		_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := socket.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("heard %q (%v) instead of %q", buf[:n], err, want)
		}
		if !f.holds("d/A", "1")() {
			t.Error("the file is not there")
		}
	}
	w := f.watch(t, []string{"NOTIFY_SOCKET=" + address.Name}, "--dir", "d", "--allow-disk")
	heard("READY=1")
	w.stop(syscall.SIGTERM, exitOK)
	heard("STOPPING=1")
}

// TestRenderAtOnce has several processes render different vaults to one place: in the end the place is one of them.
func TestRenderAtOnce(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"ALL": "a", "A1": "1", "x/A2": "2"})
	f.mustRun(`{"ALL":"b","B1":"1","x":"2"}`, "encrypt", "--vault-file", "b.vault")
	var all sync.WaitGroup
	for range 4 {
		for _, vault := range []string{"secrets.vault", "b.vault"} {
			all.Go(func() {
				if r := f.run("", "render", "--dir", "d", "--allow-disk", "--vault-file", vault); r.code != exitOK {
					t.Errorf("%s: exit %d: %s", vault, r.code, r.stderr)
				}
			})
		}
	}
	all.Wait()
	names := (&folder{t: t, dir: f.path("d")}).names()
	got := strings.Join(names, " ")
	if a, b := ".vault-tool-render.json .vault-tool-render.json.lock A1 ALL x", ".vault-tool-render.json .vault-tool-render.json.lock ALL B1 x"; got != a && got != b {
		t.Errorf("there is %s", got)
	}
}

// TestRenderWithAzureKey takes the key from Azure Key Vault, once and while watching.
func TestRenderWithAzureKey(t *testing.T) {
	c := newAzureCLI(t)
	key := []string{"--akv-url", azureTestURL}
	c.run(exitOK, `{"A":"1"}`, nil, append(key, "encrypt")...)
	c.run(exitOK, "", nil, append(key, "render", "--dir", "once", "--allow-disk")...)
	w := &watching{t: t, cmd: exec.Command(c.tool, append(key, "render", "--watch", "--dir", "d", "--allow-disk")...)}
	w.cmd.Dir, w.cmd.Env = c.dir, c.env
	w.cmd.Stdout, w.cmd.Stderr = &w.stdout, &w.stderr
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	f := &folder{t: t, dir: c.dir}
	w.until("it is ready", func() bool { return strings.Contains(w.stderr.String(), "ready; watching ") })
	c.run(exitOK, "2", nil, append(key, "add", "--name", "A")...)
	w.until("the file is current", f.holds("d/A", "2"))
	w.stop(syscall.SIGTERM, exitOK)
	if !f.holds("once/A", "1")() {
		t.Error("the first rendering is wrong")
	}
}
