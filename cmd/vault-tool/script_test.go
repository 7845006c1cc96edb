package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mazevault/vault-tool/internal/checkup"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/keycache"
	"github.com/mazevault/vault-tool/internal/keycache/keycachetest"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/kdf"
)

// TestMain makes the test binary serve as vault-tool under that name, which is put into the PATH of
// scripts and tests.
func TestMain(m *testing.M) {
	testscript.Main(heeding{m}, map[string]func(){"vault-tool": main})
}

// heeding runs the tests, and not the program that this binary is too, with heedHangUp.
type heeding struct{ *testing.M }

func (h heeding) Run() int {
	heedHangUp()
	return h.M.Run()
}

// TestScripts runs the scripts in testdata/script, one a topic. Beside testscript's own commands they
// have those of scriptCommands.
func TestScripts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the scripts use sh and file modes")
	}
	t.Parallel()
	dir, files := "testdata/script", []string(nil)
	if testing.Short() { // the race detector, for which -short is, makes each derivation take seconds
		dir, files = "", []string{"testdata/script/rotate_in_place.txtar"}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		Files:               files,
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           scriptCondition,
	})
}

var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":        scriptExits,
	"hold-keyring": scriptHoldKeyring,
	"install":      scriptInstall,
	"is":           scriptIs,
	"json":         scriptJSON,
	"mode":         scriptMode,
}

// scriptCondition knows [file:PATH], [root], [keyring] for a kernel keyring that can be used, and [sound-host] for one of which doctor has
// nothing to say.
func scriptCondition(condition string) (bool, error) {
	switch condition {
	case "root":
		return os.Geteuid() == 0, nil
	case "sound-host":
		return isSoundHost()
	}
	if condition == "keyring" {
		release, err := keycachetest.Hold()
		if err != nil {
			return false, err
		}
		defer release()
		_, err = keycache.Clear()
		return err == nil, nil
	}
	if path, ok := strings.CutPrefix(condition, "file:"); ok {
		_, err := os.Stat(path)
		return err == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", condition)
}

// isSoundHost tells whether nothing is to be found of the host of the tests itself, and of the directories above theirs.
func isSoundHost() (sound bool, err error) {
	dir, err := os.MkdirTemp("", "sound")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	host := &checkup.Host{
		Vault: filepath.Join(dir, "secrets.vault"), Key: filepath.Join(dir, "vault.key"), Tool: func(arguments string) string { return arguments },
		Caller: uint32(os.Geteuid()), Parent: os.Getppid(), Getenv: func(string) string { return "" }, Directory: dir, Root: os.DirFS("/"), CanLock: lockedmem.CanLock,
	}
	for _, path := range []string{host.Vault, host.Key} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return false, err
		}
	}
	for _, f := range host.Examine(context.Background()) {
		if f.Severity != finding.Info && f.Check != "core-dumps" {
			return false, nil
		}
	}
	return true, nil
}

// scriptHoldKeyring is `hold-keyring`: until the script ends no other test uses the kernel keyring.
func scriptHoldKeyring(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: hold-keyring")
	}
	release, err := keycachetest.Hold()
	ts.Check(err)
	ts.Defer(release)
}

// scriptInstall is `install {vault-tool|vault-tool-net} DIR`: a build of the program stands in the directory, which is made.
func scriptInstall(ts *testscript.TestScript, neg bool, args []string) {
	builds := map[string]func() ([]byte, error){"vault-tool": builtTool, "vault-tool-net": builtNetProgram}
	if kdf.Quick { // as the program that the other lines run
		builds["vault-tool"] = builtQuickTool
	}
	if neg || len(args) != 2 || builds[args[0]] == nil {
		ts.Fatalf("usage: install {vault-tool|vault-tool-net} DIR")
	}
	dir := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(writeProgram(builds[args[0]], filepath.Join(dir, args[0])))
}

// scriptExits is `exits CODE PROGRAM [ARG…]`: the program must end with that code.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case err == nil && want == 0:
	case err == nil:
		ts.Fatalf("exit code 0, want %d", want)
	case !errors.As(err, &exit):
		ts.Fatalf("%v", err)
	case exit.ExitCode() != want:
		ts.Fatalf("exit code %d, want %d", exit.ExitCode(), want)
	}
}

// scriptIs is `is FILE STRING`: the file, or stdout or stderr, holds exactly that string, given in Go's
// syntax less the quotes.
func scriptIs(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] is FILE STRING")
	}
	want, err := strconv.Unquote(`"` + strings.ReplaceAll(args[1], `"`, `\"`) + `"`)
	ts.Check(err)
	if got := ts.ReadFile(args[0]); (got == want) == neg {
		ts.Fatalf("%s is %q", args[0], got)
	}
}

// scriptJSON is `json FILE [WANT]`: the file, or stdout, is one JSON text, and equal to WANT if that is
// given; members of objects that WANT does not have are not compared.
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: json FILE [WANT]")
	}
	var got, want any
	text := ts.ReadFile(args[0])
	ts.Check(json.Unmarshal([]byte(text), &got))
	if !strings.HasSuffix(text, "\n") {
		ts.Fatalf("JSON without a newline at its end: %q", text)
	}
	if len(args) == 2 {
		ts.Check(json.Unmarshal([]byte(args[1]), &want))
		if !jsonCovers(got, want) {
			ts.Fatalf("%s is not covered by %s", bytes.TrimSpace([]byte(text)), args[1])
		}
	}
}

func jsonCovers(got, want any) bool {
	wantObject, ok := want.(map[string]any)
	if !ok {
		return reflect.DeepEqual(got, want)
	}
	gotObject, ok := got.(map[string]any)
	for name, value := range wantObject {
		member, there := gotObject[name]
		ok = ok && there && jsonCovers(member, value)
	}
	return ok
}

// scriptMode is `mode PERM FILE…`: the files have these permissions, in octal.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode PERM FILE…")
	}
	for _, file := range args[1:] {
		info, err := os.Stat(ts.MkAbs(file))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s", file, got)
		}
	}
}

// runTool runs vault-tool in dir and returns what it wrote.
func runTool(t *testing.T, dir, stdin string, wantCode int, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.Command("vault-tool", args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(stdin), &out, &errs
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != wantCode {
		t.Errorf("vault-tool %q: exit code %d, want %d\n%s", args, code, wantCode, errs.String())
	}
	return out.String(), errs.String()
}
