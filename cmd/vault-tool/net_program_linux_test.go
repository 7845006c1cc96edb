package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/fakeazure"
	"github.com/mazevault/vault-tool/internal/testdir"
)

// hanging is a command that waits for its vault-tool-net, which waits for a Key Vault.
type hanging struct {
	cmd    *exec.Cmd
	net    int // the number of vault-tool-net
	stderr bytes.Buffer
}

// hang starts a command and returns when the Key Vault has been asked.
func (c *azureCLI) hang(env []string, attributes *syscall.SysProcAttr) *hanging {
	c.t.Helper()
	asked := make(chan struct{}, 1)
	c.azure.Break(fakeazure.Faults{Vault: func(w http.ResponseWriter, r *http.Request) bool {
		select {
		case asked <- struct{}{}:
		default:
		}
		return fakeazure.Hang(w, r)
	}})
	h := &hanging{cmd: exec.Command(c.tool, "list", "--akv-url", azureTestURL)}
	h.cmd.Dir, h.cmd.Env, h.cmd.Stderr, h.cmd.SysProcAttr = c.dir, append(c.env, env...), &h.stderr, attributes
	if err := h.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = h.cmd.Process.Kill() })
	<-asked
	children := childrenOf(c.t, h.cmd.Process.Pid)
	if len(children) != 1 {
		c.t.Fatalf("vault-tool has the children %v, want one", children)
	}
	h.net = children[0]
	return h
}

// childrenOf returns the numbers of the children of a process.
func childrenOf(t *testing.T, parent int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var children []int
	for _, path := range stats {
		if s, ok := statOf(path); ok && s.parent == parent {
			children = append(children, s.pid)
		}
	}
	return children
}

type processStat struct {
	pid, parent int
	zombie      bool
}

// statOf reads /proc/PID/stat (proc_pid_stat(5)), if the process is still there.
func statOf(path string) (s processStat, ok bool) {
	text, err := os.ReadFile(path)
	end := bytes.LastIndexByte(text, ')') // of the program's name, which may be anything
	if err != nil || end < 0 {
		return s, false
	}
	var state string
	if _, err := fmt.Sscan(string(text), &s.pid); err != nil {
		return s, false
	}
	if _, err := fmt.Sscan(string(text[end+1:]), &state, &s.parent); err != nil {
		return s, false
	}
	s.zombie = state == "Z"
	return s, true
}

// awaitEnd returns when a process has ended, whether or not somebody has waited for it.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if s, ok := statOf("/proc/" + strconv.Itoa(pid) + "/stat"); !ok || s.zombie {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d goes on", pid)
		}
	}
}

func procFile(t *testing.T, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("no permission to look into another process")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestNetProgramEndsWithItsParent: nothing is left behind by a vault-tool that is killed.
func TestNetProgramEndsWithItsParent(t *testing.T) {
	t.Parallel()
	c := newAzureCLI(t)
	c.keyFile("vault.key", azureTestKey)
	c.run(0, `{"A":"value of a"}`, nil, "encrypt")
	h := c.hang(nil, nil)
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.cmd.Wait() // it was killed
	awaitEnd(t, h.net)
}

// TestNetProgramIsClosed: its environment is the list and nothing more, it has no core file, and its standard error
// goes nowhere.
func TestNetProgramIsClosed(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root to look into a process that forbids it")
	}
	c := newAzureCLI(t)
	c.keyFile("vault.key", azureTestKey)
	c.run(0, `{"A":"value of a"}`, nil, "encrypt")
	secret := []string{"DATABASE_PASSWORD=CANARY", "MAZEVAULT_VAULT_AKV_SECRET=mazevault-vault-key", "GODEBUG=netdns=go", "AWS_REGION=r"}
	h := c.hang(secret, nil)
	want := append(slices.DeleteFunc(slices.Clone(c.env), func(v string) bool { return strings.HasPrefix(v, "TMPDIR=") }), "AWS_REGION=r")
	slices.Sort(want)
	got := strings.Split(strings.TrimSuffix(procFile(t, h.net, "environ"), "\x00"), "\x00")
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the environment is %q, want %q", got, want)
	}
	if got := procFile(t, h.net, "cmdline"); got != filepath.Join(filepath.Dir(c.tool), "vault-tool-net")+"\x00answer\x00" {
		t.Errorf("it was started as %q", got)
	}
	if limits := procFile(t, h.net, "limits"); !strings.Contains(strings.Join(strings.Fields(limits), " "), "Max core file size 0 0 bytes") {
		t.Errorf("its limits are\n%s", limits)
	}
	null, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/2", h.net))
	if err != nil || null != "/dev/null" {
		t.Errorf("its standard error is %q, error %v", null, err)
	}
}

// TestNetProgramIsNotDumpable: the system gives the files of such a process to root.
func TestNetProgramIsNotDumpable(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root to start a process of another user")
	}
	c := newAzureCLI(t)
	const user = scanUserID
	i := slices.IndexFunc(c.env, func(v string) bool { return strings.HasPrefix(v, "SSL_CERT_FILE=") })
	authority := strings.TrimPrefix(c.env[i], "SSL_CERT_FILE=")
	if err := os.Chmod(authority, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{c.dir, filepath.Dir(c.tool), filepath.Dir(authority)} {
		testdir.Open(t, dir)
	}
	c.keyFile("vault.key", azureTestKey)
	c.run(0, `{"A":"value of a"}`, nil, "encrypt")
	for _, name := range []string{"secrets.vault", "vault.key"} {
		if err := os.Chown(filepath.Join(c.dir, name), user, user); err != nil {
			t.Fatal(err)
		}
	}
	h := c.hang(nil, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}})
	info, err := os.Stat(fmt.Sprintf("/proc/%d/mem", h.net))
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != 0 {
		t.Errorf("its memory belongs to user %d", uid)
	}
}

// TestNetProgramHangs: a Key Vault that does not answer is told as that, in time, and nothing stays behind.
func TestNetProgramHangs(t *testing.T) {
	t.Parallel()
	c := newAzureCLI(t)
	c.keyFile("vault.key", azureTestKey)
	c.run(0, `{"A":"value of a"}`, nil, "encrypt")
	h := c.hang(nil, nil)
	_ = h.cmd.Wait() // the exit code is looked at below
	if code := h.cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(h.stderr.String(), "no answer in time from "+strings.TrimPrefix(azureTestURL, "https://")) {
		t.Errorf("exit code %d, stderr %q", code, &h.stderr)
	}
	awaitEnd(t, h.net)
}

// TestNetProgramDoesNotEnd: one that takes no notice of the time is killed.
func TestNetProgramDoesNotEnd(t *testing.T) {
	t.Parallel()
	c := newAzureCLI(t)
	c.keyFile("vault.key", azureTestKey)
	c.run(0, `{"A":"value of a"}`, nil, "encrypt")
	program := filepath.Join(filepath.Dir(c.tool), "vault-tool-net")
	script := "#!/bin/sh\necho $$ > net.pid\nsleep 3600\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	_, stderr := c.run(exitFailed, "", nil, "list", "--akv-url", azureTestURL)
	if !strings.Contains(stderr, program+" gave no answer in time, and was stopped") {
		t.Errorf("stderr %q", stderr)
	}
	text, err := os.ReadFile(filepath.Join(c.dir, "net.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, pid)
}

// TestNetProgramIsStartedOnce: the two keys of a rotation come in one message.
func TestNetProgramIsStartedOnce(t *testing.T) {
	t.Parallel()
	c := newAzureCLI(t)
	c.keyFile("vault.key", azureTestKey)
	c.run(0, `{"A":"value of a"}`, nil, "encrypt")
	original := filepath.Join(filepath.Dir(c.tool), "vault-tool-net.real")
	program := strings.TrimSuffix(original, ".real")
	if err := os.Rename(program, original); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho started >> starts\nexec " + original + ` "$@"` + "\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"get", "A"}, {"rotate-key", "--new-akv-secret", "next-key"}, {"get", "A", "--akv-secret", "next-key"},
	} {
		c.run(0, "", nil, append(args, "--akv-url", azureTestURL)...)
		starts, err := os.ReadFile(filepath.Join(c.dir, "starts"))
		if err != nil || string(starts) != "started\n" {
			t.Errorf("%q: %q, error %v", args, starts, err)
		}
		_ = os.Remove(filepath.Join(c.dir, "starts"))
	}
}

// TestNoSecretStaysInMemoryWithAzureKey scans vault-tool when its key has come through the pipe.
func TestNoSecretStaysInMemoryWithAzureKey(t *testing.T) {
	tool := buildForScan(t, "runtimesecret")
	installProgram(t, builtNetProgram, filepath.Dir(tool), "vault-tool-net")
	w := newScanWorld(t, tool, scanOptions{})
	azure := fakeazure.Start(t, strings.TrimPrefix(azureTestURL, "https://"))
	azure.Put("mazevault-vault-key", fakeazure.Secret{Value: azureTestKey})
	azure.Put("next-key", fakeazure.Secret{Value: azureTestNewKey})
	w.env = append(azure.Env(), "MAZEVAULT_VAULT_AKV_URL="+azureTestURL)
	w.file("copy.key", azureTestKey, 0o400) // for the scan to know them
	w.file("next.key", azureTestNewKey, 0o400)
	for _, canary := range []string{fakeazure.Token, fakeazure.ErrorText} {
		w.needles.add("what Azure said", []byte(canary))
	}
	w.clean(exitOK, w.secretsJSON("SECRET_", 27), "encrypt")
	w.clean(exitOK, "", "get", "SECRET_1")
	w.clean(exitOK, w.canary("MORE"), "add", "--name", "MORE")
	w.clean(exitCannotOpen, "", "list", "--akv-secret", "next-key")
	w.clean(exitOK, "", "rotate-key", "--new-akv-secret", "next-key")
	w.clean(exitCannotOpen, "", "list")
	azure.Put("next-key", fakeazure.Secret{Value: azureTestKey}) // the version before opens it
	w.clean(exitOK, "", "list", "--akv-secret", "next-key")
}
