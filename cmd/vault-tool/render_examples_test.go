//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mazevault/vault-tool/internal/testdir"
)

const examplesDir = "../../examples"

// The files in examples are checked as far as that goes without systemd, Docker and Kubernetes running: systemd-analyze verifies
// the units, the YAML files parse, and every vault-tool command in them is run, with other paths and users.

// exampleCommand is a command line of an example, with the environment it is given.
type exampleCommand struct {
	name string
	args []string
	env  map[string]string

	runtime string // directory that systemd makes below /run, with mode, for root unless the unit has a user
	mode    os.FileMode
	asUser  bool
}

// unitCommands returns the vault-tool commands of a unit file.
func unitCommands(t *testing.T, path string) []exampleCommand {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var commands []exampleCommand
	env := make(map[string]string)
	unit := exampleCommand{env: env}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "Environment":
			name, setting, _ := strings.Cut(value, "=")
			env[name] = setting
		case "User":
			unit.asUser = true
		case "RuntimeDirectory":
			unit.runtime = value
		case "RuntimeDirectoryMode":
			mode, err := strconv.ParseUint(value, 8, 32)
			if err != nil {
				t.Fatal(err)
			}
			unit.mode = os.FileMode(mode)
		case "ExecStart", "ExecStartPre":
			c := unit
			c.name, c.args = filepath.Base(path)+" "+key, unitWords(strings.TrimLeft(value, "+-@:!"))
			if filepath.Base(c.args[0]) == "vault-tool" {
				commands = append(commands, c)
			}
		}
	}
	return commands
}

// unitWords splits a command line at spaces outside of double quotes, which is all that the examples use.
func unitWords(line string) []string {
	var words []string
	for i, piece := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, piece)
		} else {
			words = append(words, strings.Fields(piece)...)
		}
	}
	return words
}

// readYAML reads documents with PyYAML, which like Kubernetes takes 0400 for an octal number.
func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	if err := exec.Command("python3", "-c", "import yaml").Run(); err != nil {
		t.Skip("no python3 with yaml here (Debian: python3-yaml)")
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command("python3", "-c", "import sys, json, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)")
	cmd.Stdin = file
	text, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func composeCommands(t *testing.T) []exampleCommand {
	t.Helper()
	var file struct {
		Services map[string]struct {
			Entrypoint, Command []string
			Environment         map[string]string
			Volumes             []string
			Healthcheck         struct{ Test []string }
		}
		Volumes map[string]struct {
			Options map[string]string `json:"driver_opts"`
		}
	}
	readYAML(t, filepath.Join(examplesDir, "docker-compose", "compose.yaml"), &file)
	if got := file.Volumes["web-secrets"].Options["type"]; got != "tmpfs" {
		t.Errorf("the volume is of type %q", got)
	}
	var commands []exampleCommand
	for name, s := range file.Services {
		if len(s.Entrypoint) > 0 && s.Entrypoint[0] == "vault-tool" {
			commands = append(commands, exampleCommand{name: "compose " + name, args: slices.Concat(s.Entrypoint, s.Command), env: s.Environment})
		}
		if len(s.Healthcheck.Test) > 1 {
			commands = append(commands, exampleCommand{name: "compose healthcheck", args: s.Healthcheck.Test[1:], env: s.Environment})
		}
		for _, v := range s.Volumes { // a volume that is not declared would be on the disk
			if source, _, _ := strings.Cut(v, ":"); !strings.HasPrefix(source, "/") && file.Volumes[source].Options == nil {
				t.Errorf("%s: the volume %s is not declared", name, source)
			}
		}
	}
	return commands
}

func kubernetesCommands(t *testing.T) []exampleCommand {
	t.Helper()
	type container struct {
		Name    string
		Command []string
		Env     []struct{ Name, Value string }
	}
	var file struct {
		Spec struct {
			Template struct {
				Spec struct {
					InitContainers, Containers []container
					Volumes                    []struct {
						Secret   *struct{ DefaultMode int }
						EmptyDir *struct{ Medium string }
					}
				}
			}
		}
	}
	readYAML(t, filepath.Join(examplesDir, "kubernetes", "sidecar.yaml"), &file)
	pod := file.Spec.Template.Spec
	var commands []exampleCommand
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		env := make(map[string]string)
		for _, e := range c.Env {
			env[e.Name] = e.Value
		}
		if len(c.Command) > 0 && c.Command[0] == "vault-tool" {
			commands = append(commands, exampleCommand{name: "kubernetes " + c.Name, args: c.Command, env: env})
		}
	}
	if len(pod.Volumes) != 2 || pod.Volumes[0].Secret.DefaultMode != 0o400 || pod.Volumes[1].EmptyDir.Medium != "Memory" {
		t.Errorf("volumes: %+v", pod.Volumes)
	}
	return commands
}

// exampleWorld stands in for the host of the examples.
type exampleWorld struct {
	*folder
	bin    string // programs, before those of the system
	memory string
	words  *strings.Replacer
}

func newExampleWorld(t *testing.T) *exampleWorld {
	w := &exampleWorld{memory: memoryDir(t), bin: t.TempDir()}
	w.folder = newVault(t, true, map[string]string{"DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x", "TLS_KEY": "k", "OTHER": "o"})
	if err := os.Chmod(w.memory, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"app", "worker", "systemctl"} {
		script := "#!/bin/sh\necho \"ran $*\"; echo \"$DATABASE_URL\"; id -u\n"
		if program == "systemctl" {
			script = "#!/bin/sh\necho \"$*\" >> " + w.path("systemctl-ran") + "\n"
		}
		if err := os.WriteFile(filepath.Join(w.bin, program), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		testdir.Open(t, w.bin) // for the users of the examples
	}
	owner := fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())
	if os.Getuid() == 0 {
		owner = "65534:65534"
	}
	uid, gid, _ := strings.Cut(owner, ":")
	w.words = strings.NewReplacer(
		"/usr/local/bin/vault-tool", w.tool, "/usr/local/bin/", w.bin+"/", "/opt/mazevault/", w.dir+"/", "/run/vault/", w.dir+"/",
		"/run/secrets-of/", w.memory+"/", "/run/app-", w.memory+"/app-",
		"app:app", owner, "1000:1000", owner, "--reuid app", "--reuid "+uid, "--regid app", "--regid "+gid, "--init-groups", "--clear-groups",
		"--reuid 1000", "--reuid "+uid, "--regid 1000", "--regid "+gid,
	)
	return w
}

// prepare returns an example's command with the paths and users of the test.
func (w *exampleWorld) prepare(c exampleCommand) *exec.Cmd {
	const separator = "\x00"
	line := strings.Join(c.args, separator)
	for _, flag := range []string{"--reuid", "--regid"} { // two words that are replaced as one
		line = strings.ReplaceAll(line, flag+separator, flag+" ")
	}
	line = w.words.Replace(line)
	for _, flag := range []string{"--reuid", "--regid"} {
		line = strings.ReplaceAll(line, flag+" ", flag+separator)
	}
	args := strings.Split(line, separator)
	if args[0] == "vault-tool" {
		args[0] = w.tool
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "PATH="+w.bin+":"+os.Getenv("PATH"))
	for name, value := range c.env {
		cmd.Env = append(cmd.Env, name+"="+w.words.Replace(value))
	}
	return cmd
}

func TestExamples(t *testing.T) {
	units, err := filepath.Glob(filepath.Join(examplesDir, "systemd", "*.service"))
	if err != nil || len(units) != 5 {
		t.Fatalf("units: %v, %v", units, err)
	}
	var fromUnits []exampleCommand
	for _, unit := range units {
		fromUnits = append(fromUnits, unitCommands(t, unit)...)
	}
	for _, source := range []struct {
		name     string
		commands func(*testing.T) []exampleCommand
		want     int
	}{
		{"systemd", func(*testing.T) []exampleCommand { return fromUnits }, 3},
		{"compose", composeCommands, 3},
		{"kubernetes", kubernetesCommands, 2},
	} {
		t.Run(source.name, func(t *testing.T) {
			commands := source.commands(t)
			if len(commands) != source.want {
				t.Errorf("%d commands: %v", len(commands), commands)
			}
			for _, c := range commands {
				t.Run(c.name, func(t *testing.T) { newExampleWorld(t).try(c) })
			}
		})
	}
}

// try runs an example's command and looks at what comes of it.
func (w *exampleWorld) try(c exampleCommand) {
	t := w.t.(*testing.T)
	w.makeRuntimeDirectory(c)
	cmd := w.prepare(c)
	switch {
	case slices.Contains(c.args, "exec"):
		if os.Getuid() != 0 {
			t.Skip("the example becomes another user, for which it has to be root")
		}
		output, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(output), "postgres://x\n65534\n") {
			t.Errorf("%v: %s", err, output)
		}
	case slices.Contains(c.args, "--watch"):
		run := &watching{t: t, cmd: cmd}
		cmd.Stdout, cmd.Stderr = &run.stdout, &run.stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		run.until("it is ready", func() bool { return strings.Contains(run.stderr.String(), "ready; watching ") })
		w.wantRendered("postgres://x")
		w.mustRun("postgres://new", "add", "--name", "DATABASE_URL")
		run.until("the file is current", func() bool { return w.rendered() == "postgres://new" })
		if slices.Contains(c.args, "--on-change") {
			run.until("the service is reloaded", w.holds("systemctl-ran", "try-reload-or-restart app.service\n"))
		}
		run.stop(syscall.SIGTERM, exitOK)
	default:
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, output)
		}
		w.wantRendered("postgres://x")
	}
}

// makeRuntimeDirectory does what systemd does before it runs a unit's command.
func (w *exampleWorld) makeRuntimeDirectory(c exampleCommand) {
	if c.runtime == "" {
		return
	}
	w.t.Helper()
	dir := filepath.Join(w.memory, c.runtime)
	err := errors.Join(os.Mkdir(dir, c.mode), os.Chmod(dir, c.mode))
	if c.asUser && os.Getuid() == 0 {
		err = errors.Join(err, os.Lchown(dir, exampleUser, exampleUser))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// exampleUser stands in for the user of the services, where the test runs as root.
const exampleUser = 65534

// rendered returns what the user of the service reads in the file of DATABASE_URL.
func (w *exampleWorld) rendered() string {
	cmd := exec.Command("find", w.memory, "-name", "DATABASE_URL", "-exec", "cat", "{}", ";")
	cmd.Dir = "/"
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: exampleUser, Gid: exampleUser}}
	}
	content, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s (%v)", content, err)
	}
	return string(content)
}

func (w *exampleWorld) wantRendered(want string) {
	w.t.Helper()
	if got := w.rendered(); got != want {
		w.t.Errorf("DATABASE_URL is rendered as %q", got)
	}
}

// TestExampleUnits has systemd verify the units, with programs that exist.
func TestExampleUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze here (Debian: systemd)")
	}
	dir, bin := t.TempDir(), t.TempDir()
	for _, program := range []string{"vault-tool", "app"} {
		if err := os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	units, err := filepath.Glob(filepath.Join(examplesDir, "systemd", "*.service"))
	if err != nil {
		t.Fatal(err)
	}
	var copies []string
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.Base(unit))
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/", bin+"/")), 0o644); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, path)
	}
	output, err := exec.Command("systemd-analyze", append([]string{"verify"}, copies...)...).CombinedOutput()
	if err != nil || strings.Contains(string(output), "app") { // what it says of other units is not ours
		t.Errorf("systemd-analyze verify: %v\n%s", err, output)
	}
}

// TestExampleCapabilities runs the sidecar with the capabilities that the examples leave it.
func TestExampleCapabilities(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root has capabilities to give up")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("no setpriv here (Debian: util-linux)")
	}
	f := newVault(t, true, map[string]string{"A": "1", "x/B": "2"})
	dir := memoryDir(t)
	for i, value := range []string{"1", "2", "2"} {
		f.mustRun(value, "add", "--name", "A")
		mode := []string{"0400", "0400", "0440"}[i]
		cmd := f.command("", "--bounding-set", "-all,+chown,+dac_override,+fowner", "--inh-caps", "-all", "--no-new-privs",
			f.tool, "render", "--dir", filepath.Join(dir, "d"), "--owner", "65534:65533", "--mode", mode)
		cmd.Path, _ = exec.LookPath("setpriv")
		cmd.Args[0] = "setpriv"
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		info, err := os.Stat(filepath.Join(dir, "d", "x", "B"))
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != 65534 || "0"+strconv.FormatUint(uint64(info.Mode().Perm()), 8) != mode {
			t.Errorf("%v, %v", info, err)
		}
	}
}
