package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/mazevault/vault-tool/internal/kdftest"
)

// The tests of crash, faults and concurrency run vault-tool as processes of its own. There are two
// builds of it: the product, and one that differs in nothing but the cost of the key derivation, so
// that a command can be killed at each of its system calls in turn within seconds.

// builtTool builds the product once for the test run.
var builtTool = sync.OnceValues(func() ([]byte, error) { return buildTool("", ".") })

// builtQuickTool builds the tool with a cheap derivation. Vaults of the one cannot be read by the other.
var builtQuickTool = sync.OnceValues(func() ([]byte, error) { return buildTool("quickkdf", ".") })

// builtNetProgram builds vault-tool-net, which derives no keys.
var builtNetProgram = sync.OnceValues(func() ([]byte, error) { return buildTool("", "../vault-tool-net") })

// buildTool compiles a command with the build tags and returns the program. It takes GOEXPERIMENT from
// the environment of the test, as the test itself did, and has the race detector where the test has it.
func buildTool(tags, command string) (program []byte, err error) {
	dir, err := os.MkdirTemp("", "vault-tool-build")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := filepath.Join(dir, "vault-tool")
	build := exec.Command("go", "build", "-buildvcs=false", "-tags", tags, "-o", out)
	build.Env = os.Environ()
	if raceEnabled {
		build.Args = append(build.Args, "-race")
		build.Env = append(build.Env, "CGO_ENABLED=1")
	} else {
		build.Env = append(build.Env, "CGO_ENABLED=0")
	}
	build.Args = append(build.Args, command)
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, output)
	}
	return os.ReadFile(out)
}

// installTool writes a program into a directory of the test.
func installTool(t testing.TB, build func() ([]byte, error)) string {
	t.Helper()
	return installProgram(t, build, t.TempDir(), "vault-tool")
}

// installBoth is installTool with vault-tool-net beside it.
func installBoth(t testing.TB, build func() ([]byte, error)) string {
	t.Helper()
	tool := installTool(t, build)
	installProgram(t, builtNetProgram, filepath.Dir(tool), "vault-tool-net")
	return tool
}

// installProgram writes a program into a directory, which nobody else may change from then on.
func installProgram(t testing.TB, build func() ([]byte, error), dir, name string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(dir, name)
	if err := errors.Join(os.Chmod(dir, 0o755), writeProgram(build, path)); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeProgram(build func() ([]byte, error), path string) error {
	program, err := build()
	if err != nil {
		return err
	}
	// A process that is forked while the file is open for writing would keep it from being executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return errors.Join(os.WriteFile(path, program, 0o755), os.Chmod(path, 0o755))
}

// folder is a directory with a vault and its key, in which commands are run.
type folder struct {
	t    testing.TB
	tool string
	dir  string
	set  func(*exec.Cmd) // adjusts every command, if not nil
}

// newFolder returns an empty folder for the product or, with quick, for the build with a cheap derivation.
func newFolder(t testing.TB, quick bool) *folder {
	t.Helper()
	build := builtQuickTool
	if !quick {
		kdftest.NeedsMVT1(t)
		build = builtTool
	}
	return &folder{t: t, tool: installTool(t, build), dir: t.TempDir()}
}

// newVault returns a folder with secrets.vault, which holds secrets, and vault.key.
func newVault(t testing.TB, quick bool, secrets map[string]string) *folder {
	t.Helper()
	f := newFolder(t, quick)
	f.mustRun("", "init", "--key-file", "vault.key")
	f.mustRun(toJSON(t, secrets), "encrypt")
	return f
}

// someSecrets is what most of the vaults hold.
var someSecrets = map[string]string{"A": "1", "B": "two", "SMTP_PASSWORD": strings.Repeat("x", 5000)}

func toJSON(t testing.TB, secrets map[string]string) string {
	t.Helper()
	text, err := json.Marshal(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// result is how a command ended. The code is -1 if a signal ended it.
type result struct {
	code   int
	stdout string
	stderr string
}

// command prepares a command in the folder, without the settings of whoever runs the test.
func (f *folder) command(stdin string, args ...string) *exec.Cmd {
	cmd := exec.Command(f.tool, args...)
	cmd.Dir = f.dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAZEVAULT_") })
	if f.set != nil {
		f.set(cmd)
	}
	return cmd
}

func (f *folder) run(stdin string, args ...string) result {
	f.t.Helper()
	cmd := f.command(stdin, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// succeed runs a command that must not fail; it may be called from any goroutine.
func (f *folder) succeed(stdin string, args ...string) bool {
	f.t.Helper()
	r := f.run(stdin, args...)
	if r.code != exitOK {
		f.t.Errorf("vault-tool %s: exit %d: %s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.code == exitOK
}

// mustRun is succeed for what the rest of a test builds on.
func (f *folder) mustRun(stdin string, args ...string) string {
	f.t.Helper()
	r := f.run(stdin, args...)
	if r.code != exitOK {
		f.t.Fatalf("vault-tool %s: exit %d: %s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// wantFailure runs a command that must fail with code and, on stderr, with every one of texts.
func (f *folder) wantFailure(code int, texts []string, stdin string, args ...string) {
	f.t.Helper()
	r := f.run(stdin, args...)
	if r.code != code {
		f.t.Errorf("vault-tool %s: exit %d instead of %d: %s", strings.Join(args, " "), r.code, code, r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(r.stderr, text) {
			f.t.Errorf("vault-tool %s: stderr lacks %q: %s", strings.Join(args, " "), text, r.stderr)
		}
	}
}

// secrets returns what the vault holds, as a reader with the key file gets it.
func (f *folder) secrets() (map[string]string, error) {
	r := f.run("", "decrypt", "--show-values", "--json")
	if r.code != exitOK {
		return nil, fmt.Errorf("decrypt: exit %d: %s", r.code, r.stderr)
	}
	var secrets map[string]string
	err := json.Unmarshal([]byte(r.stdout), &secrets)
	return secrets, err
}

func (f *folder) wantSecrets(want map[string]string) {
	f.t.Helper()
	if got, err := f.secrets(); err != nil || !maps.Equal(got, want) {
		f.t.Errorf("the vault holds %v (%v) instead of %v", got, err, want)
	}
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// read returns the content of a file of the folder, "" where there is none.
func (f *folder) read(name string) string {
	f.t.Helper()
	content, err := os.ReadFile(f.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		f.t.Fatal(err)
	}
	return string(content)
}

func (f *folder) write(name, content string, mode os.FileMode) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), []byte(content), mode); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Chmod(f.path(name), mode); err != nil {
		f.t.Fatal(err)
	}
}

// put is write for a file that somebody is watching, who is not to see half of it.
func (f *folder) put(name, content string, mode os.FileMode) {
	f.t.Helper()
	f.write(name+".put", content, mode)
	if err := os.Rename(f.path(name+".put"), f.path(name)); err != nil {
		f.t.Fatal(err)
	}
}

// names lists the folder.
func (f *folder) names() []string {
	f.t.Helper()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func remove(f *folder, names ...string) {
	for _, name := range names {
		if err := os.Remove(f.path(name)); err != nil {
			f.t.Fatal(err)
		}
	}
}

// snapshot returns mode and content of every file by its name, those in directories too.
func (f *folder) snapshot() map[string]string {
	f.t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(f.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == f.dir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(f.dir, path)
		if err != nil {
			return err
		}
		files[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			files[name] += " " + f.read(name)
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return files
}

// wantNames reports every file of the folder that is not among allowed.
func (f *folder) wantNames(allowed ...string) {
	f.t.Helper()
	for _, name := range f.names() {
		if !slices.Contains(allowed, name) {
			f.t.Errorf("stray file %s", name)
		}
	}
}
