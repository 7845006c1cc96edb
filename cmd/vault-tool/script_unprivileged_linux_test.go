package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mazevault/vault-tool/internal/testdir"
)

// nobodyID is the user and group "nobody" of most systems; it need not exist.
const nobodyID = 65534

// unprivileged runs vault-tool as a user without privileges who may lock no memory.
type unprivileged struct {
	t    *testing.T
	tool string
	dir  string // belongs to the user
}

func newUnprivileged(t *testing.T) *unprivileged {
	t.Helper()
	top, err := os.MkdirTemp("", "vault-tool-unprivileged")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	testdir.Open(t, top)
	u := &unprivileged{t: t, tool: filepath.Join(top, "vault-tool"), dir: filepath.Join(top, "home")}
	copyTestBinary(t, u.tool)
	if err := os.Mkdir(u.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(u.dir, nobodyID, nobodyID); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

func copyTestBinary(t *testing.T, to string) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, from); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// run runs a shell line in which $tool is vault-tool and returns its output and errors.
func (u *unprivileged) run(line string) (stdout, stderr string, code int) {
	u.t.Helper()
	cmd := exec.Command("sh", "-c", "ulimit -l 0; "+line)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = u.dir, &out, &errs
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "tool=" + u.tool}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobodyID, Gid: nobodyID}}
	}
	if err := cmd.Run(); cmd.ProcessState == nil {
		u.t.Skipf("no shell: %v", err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// TestUnprivilegedWithoutLockedMemory: where no memory can be locked, every command works and says so
// once.
func TestUnprivilegedWithoutLockedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("runs every command")
	}
	t.Parallel()
	u := newUnprivileged(t)
	env := filepath.Join(u.dir, "env")
	if err := os.WriteFile(env, []byte("REDIS_URL=redis://db\nPORT=1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(env, nobodyID, nobodyID); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct{ line, stdout string }{
		{"$tool init", ""},
		{`echo '{"A": "hunter2"}' | $tool encrypt`, ""},
		{"echo value | $tool add --name B", ""},
		{"$tool add --name C --generate", ""},
		{"$tool rm C", ""},
		{"$tool list", "A\nB\n"},
		{"$tool get A", "hunter2"},
		{"$tool list --key-file /dev/stdin < vault.key", "A\nB\n"},
		{"cat vault.key | $tool list --key-file /dev/stdin", "A\nB\n"},
		{"$tool list --key-file /dev/fd/7 7< vault.key", "A\nB\n"},
		{"$tool rotate-key --in-place", ""},
		{"$tool migrate-env --env-file env --prune", ""},
		{"$tool decrypt --show-values --json", "{\n  \"A\":\"hunter2\",\n  \"B\":\"value\",\n  \"REDIS_URL\":\"redis://db\"\n}\n"},
		{"cat env", "PORT=1\n"},
	} {
		stdout, stderr, code := u.run(step.line)
		if code != 0 || stdout != step.stdout {
			t.Fatalf("%s: exit code %d, stdout %q, want %q\n%s", step.line, code, stdout, step.stdout, stderr)
		}
		want := strings.Count(step.line, "$tool")
		if got := strings.Count(stderr, "warning:"); got != want || strings.Count(stderr, "memory could not be locked") != want {
			t.Errorf("%s: %d warnings, want %d\n%s", step.line, got, want, stderr)
		}
	}
	if stdout, stderr, code := u.run("$tool doctor"); code != exitOK && code != exitInsecure || !strings.Contains(stdout, "memory-lock:") && !strings.Contains(stdout, "memory-swap:") {
		t.Errorf("doctor: exit code %d\n%s%s", code, stdout, stderr)
	}
	if stdout, stderr, code := u.run("$tool inspect --quiet"); code != exitOK || stdout != "" || stderr != "" {
		t.Errorf("inspect --quiet: exit code %d\n%s%s", code, stdout, stderr)
	}
	if _, stderr, _ := u.run("$tool __complete get ''"); strings.Contains(stderr, "warning:") {
		t.Errorf("completion warns:\n%s", stderr)
	}
}
