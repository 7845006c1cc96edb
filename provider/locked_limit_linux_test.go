package provider

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/testdir"
)

const (
	limitedDirEnv = "PROVIDER_TEST_LIMITED_DIR"
	nobodyID      = 65534
)

// limitedStages are the directories with what vault and key file are one after the other.
var limitedStages = []string{"opened", "updated", "rotated"}

// TestFits64KiB: a provider of 27 secrets, with its guard pages, and its reloads lock no more than an unprivileged
// process may where the limit is 64 KiB. (The lock of root knows no limit.)
func TestFits64KiB(t *testing.T) {
	if dir := os.Getenv(limitedDirEnv); dir != "" {
		reloadUnderLimit(t, dir)
		return
	}
	secrets := make(map[string]string)
	for i := range 27 {
		secrets[fmt.Sprintf("SECRET_%02d", i)] = randomText()
	}
	s := newSite(t, secrets)
	dir := t.TempDir()
	for _, stage := range limitedStages {
		switch stage {
		case "updated":
			s.update(t, map[string]string{"SECRET_00": randomText()})
		case "rotated":
			s.rotate(t)
		}
		copySite(t, s, filepath.Join(dir, stage))
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestFits64KiB$", "-test.v")
	cmd.Env = append(os.Environ(), limitedDirEnv+"="+dir)
	if os.Geteuid() == 0 {
		giveToNobody(t, dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobodyID, Gid: nobodyID}}
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFits64KiB") {
		t.Errorf("the process under the limit: %v", err)
	}
}

// copySite copies vault and key file to a new directory.
func copySite(t *testing.T, s *site, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, content := range readAll(t, s) {
		writeFile(t, filepath.Join(dir, filepath.Base(path)), content)
	}
}

// giveToNobody makes what is below a test's directory belong to nobody, and the way there open.
func giveToNobody(t *testing.T, dir string) {
	t.Helper()
	testdir.Open(t, filepath.Dir(dir))
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobodyID, nobodyID)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func reloadUnderLimit(t *testing.T, dir string) {
	limit := unix.Rlimit{Cur: 64 << 10, Max: 64 << 10}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		t.Fatal(err)
	}
	served := &site{vault: filepath.Join(dir, "secrets.vault"), key: filepath.Join(dir, "vault.key")}
	var p *Provider
	for _, stage := range limitedStages {
		for _, path := range []string{served.key, served.vault} {
			rename(t, filepath.Join(dir, stage, filepath.Base(path)), path)
		}
		if p == nil {
			p = mustOpen(t, served.config())
		} else if _, err := p.Reload(t.Context()); err != nil {
			t.Fatalf("%s: %v", stage, err)
		}
		if len(p.Names()) != 27 {
			t.Errorf("%s: %d names", stage, len(p.Names()))
		}
		status, err := p.Status()
		if err != nil || status.NotLocked != nil {
			t.Errorf("%s: memory was not locked: %v, %v; %s", stage, status.NotLocked, err, lockedNow(t))
		}
		t.Log(stage, lockedNow(t))
	}
}

// lockedNow is the kernel's account of what the process has locked.
func lockedNow(t *testing.T) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmLck:")
	line, _, _ := strings.Cut(rest, "\n")
	return "VmLck " + strings.TrimSpace(line)
}
