package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/kdf"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/provider"
	"github.com/mazevault/vault-tool/vaultfile"
)

// patience is how long the tests wait for the process: far longer than it takes.
const patience = 30 * time.Second

// service is the program as a process.
type service struct {
	cmd     *exec.Cmd
	address string

	mu     sync.Mutex
	stderr strings.Builder
	ended  chan struct{}
}

// quickTag is the build tag that makes the service's derivation that of this test's build.
func quickTag() string {
	if kdf.Quick {
		return "quickkdf"
	}
	return ""
}

func build(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the test ends the process by a signal")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go tool:", err)
	}
	program := filepath.Join(t.TempDir(), "ocsp-responder")
	if out, err := exec.Command(goTool, "build", "-tags", quickTag(), "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func command(t *testing.T, program string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Dir = t.TempDir()
	cmd.Env = append(env, listenEnv+"=127.0.0.1:0", "PATH="+os.Getenv("PATH"))
	return cmd
}

// start runs the program until the test ends, and waits until it listens.
func start(t *testing.T, cmd *exec.Cmd) *service {
	t.Helper()
	s := &service{cmd: cmd, ended: make(chan struct{})}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addresses := make(chan string, 1)
	go func() {
		defer close(s.ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			s.mu.Lock()
			s.stderr.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
			if _, address, ok := strings.Cut(lines.Text(), "msg=listening address="); ok {
				addresses <- address
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended already where the test went well
		<-s.ended
		_ = cmd.Wait()
	})
	select {
	case s.address = <-addresses:
	case <-s.ended:
		t.Fatalf("it ended:\n%s", s.log())
	case <-time.After(patience):
		t.Fatalf("it does not listen:\n%s", s.log())
	}
	return s
}

func (s *service) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

// health returns what /healthz answers, as text and decoded.
func (s *service) health(t *testing.T) (code int, text string, h health) {
	t.Helper()
	response, err := http.Get("http://" + s.address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &h); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), h
}

// eventually waits until the health is as wanted.
func (s *service) eventually(t *testing.T, what string, holds func(code int, h health) bool) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		code, text, h := s.health(t)
		if holds(code, h) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s; the health is %s\n%s", patience, what, text, s.log())
		}
	}
}

// stop ends the program as a service manager does, and checks that it ended well and told no secret.
func (s *service) stop(t *testing.T, values ...string) {
	t.Helper()
	_, text, _ := s.health(t)
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, s.log())
	}
	for _, value := range values {
		if strings.Contains(s.log(), value) || strings.Contains(text, value) {
			t.Errorf("it told %q", value)
		}
	}
}

// deployment is a vault with its key.
type deployment struct {
	vault, key string
	unlocker   *vaultfile.Unlocker
}

func deploy(t *testing.T, secrets map[string]string) *deployment {
	t.Helper()
	dir := t.TempDir()
	d := &deployment{vault: filepath.Join(dir, "secrets.vault"), key: filepath.Join(dir, "vault.key")}
	if err := keysource.Generate(d.key); err != nil {
		t.Fatal(err)
	}
	d.unlocker = vaultfile.NewUnlocker(keysource.NewFile(d.key))
	t.Cleanup(d.unlocker.Close)
	d.change(t, secrets)
	return d
}

func (d *deployment) change(t *testing.T, secrets map[string]string) {
	t.Helper()
	_, err := vaultfile.Update(context.Background(), d.vault, d.unlocker, vaultfile.UpdateOptions{CreateMissing: true}, func(draft *vaultfile.Draft) error {
		for name, value := range secrets {
			if value == "-" {
				if err := draft.Delete(name); err != nil {
					return err
				}
				continue
			}
			if _, err := draft.Set(name, []byte(value)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rotate gives the vault another key, as rotate-key --in-place does.
func (d *deployment) rotate(t *testing.T) {
	t.Helper()
	next := vaultfile.NewUnlocker(keysource.NewFile(d.key + keysource.SuccessorSuffix))
	defer next.Close()
	_, err := vaultfile.Rekey(context.Background(), d.vault, d.unlocker, next, vaultfile.RekeyOptions{
		Prepare: func() error { return keysource.GenerateSuccessor(d.key) },
		Finish:  func() error { return os.Rename(d.key+keysource.SuccessorSuffix, d.key) },
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWithVault(t *testing.T) {
	d := deploy(t, map[string]string{masterKey: "master-1", dbConnection: "postgres://secret-1"})
	s := start(t, command(t, build(t),
		provider.EnvVaultFile+"="+d.vault, provider.EnvKeyFile+"="+d.key,
		redisURL+"=redis://secret-2", masterKey+"=hidden-by-the-vault"))

	code, text, h := s.health(t)
	if code != http.StatusOK || h.Status != "ok" || h.Mode != "vault" || h.Generation != 1 || h.Connections != 1 ||
		h.Secrets[masterKey] != "vault" || h.Secrets[dbConnection] != "vault" || h.Secrets[redisURL] != "environment" {
		t.Errorf("health %d %s", code, text)
	}

	d.change(t, map[string]string{redisURL: "redis://secret-3"})
	s.eventually(t, "REDIS_URL comes from the vault", func(_ int, h health) bool {
		return h.Secrets[redisURL] == "vault" && h.Connections == 2
	})
	d.rotate(t)
	s.eventually(t, "the rotation is followed", func(_ int, h health) bool { return h.Generation == 3 && h.Status == "ok" })
	if _, text, h := s.health(t); h.Connections != 2 {
		t.Errorf("a rotation of the key made it connect again: %s", text)
	}
	d.change(t, map[string]string{dbConnection: "-"})
	s.eventually(t, "a missing secret is told", func(code int, h health) bool {
		return code == http.StatusServiceUnavailable && h.Status == "failing" && strings.Contains(h.Problem, dbConnection)
	})
	d.change(t, map[string]string{dbConnection: "postgres://secret-4"})
	s.eventually(t, "it is well again", func(code int, h health) bool { return code == http.StatusOK && h.Status == "ok" })

	if err := os.Rename(d.vault, d.vault+".away"); err != nil {
		t.Fatal(err)
	}
	s.eventually(t, "a missing vault degrades", func(code int, h health) bool {
		return code == http.StatusOK && h.Status == "degraded" && strings.Contains(h.Problem, "vault: no vault file")
	})
	if err := os.Rename(d.vault+".away", d.vault); err != nil {
		t.Fatal(err)
	}
	s.eventually(t, "it recovers", func(_ int, h health) bool { return h.Status == "ok" })
	s.stop(t, "master-1", "secret-1", "secret-2", "secret-3", "secret-4", "hidden-by-the-vault")
}

func TestLegacyMode(t *testing.T) {
	cmd := command(t, build(t), masterKey+"=master-1", dbConnection+"=postgres://secret-1")
	dotenv := redisURL + "=redis://secret-2\n" + masterKey + "=not-used\n"
	if err := os.WriteFile(filepath.Join(cmd.Dir, ".env"), []byte(dotenv), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, cmd)
	code, text, h := s.health(t)
	if code != http.StatusOK || h.Status != "ok" || h.Mode != "environment" || h.Generation != 0 {
		t.Errorf("health %d %s", code, text)
	}
	for _, name := range required {
		if h.Secrets[name] != "environment" {
			t.Errorf("%s from %s", name, h.Secrets[name])
		}
	}
	s.stop(t, "master-1", "secret-1", "secret-2", "not-used")
}

// TestRefusesToStart: without a secret, or with a vault that does not open, there is no service.
func TestRefusesToStart(t *testing.T) {
	program := build(t)
	d := deploy(t, nil)
	all := []string{masterKey + "=a", dbConnection + "=b", redisURL + "=c"}
	for name, tt := range map[string]struct {
		env  []string
		want []string
	}{
		"secrets missing": {[]string{masterKey + "=a"}, []string{dbConnection + ", " + redisURL}},
		"vault missing":   {append(slices.Clone(all), provider.EnvVaultFile+"="+d.vault+"x", provider.EnvKeyFile+"="+d.key), []string{"vault: no vault file"}},
		"key missing":     {append(slices.Clone(all), provider.EnvVaultFile+"="+d.vault, provider.EnvKeyFile+"="+d.key+"x"), []string{"vault: cannot stat key file"}},
		"no key":          {append(slices.Clone(all), provider.EnvVaultFile+"="+d.vault), []string{provider.EnvKeyFile}},
	} {
		out, err := command(t, program, tt.env...).CombinedOutput()
		if err == nil {
			t.Errorf("%s: it ended well", name)
		}
		for _, want := range tt.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: %q is not in %s", name, want, out)
			}
		}
	}
}
