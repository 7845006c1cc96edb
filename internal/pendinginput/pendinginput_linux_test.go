package pendinginput

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// childVariable makes the test binary print what Waiting says of its standard input, and then what is there to read.
const childVariable = "PENDINGINPUT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	answer := "free "
	if Waiting(os.Stdin) {
		answer = "waiting "
	}
	rest, _ := io.ReadAll(os.Stdin)
	os.Stdout.WriteString(answer + string(rest))
}

func TestWaiting(t *testing.T) {
	r, w, err := os.Pipe() // to which somebody may write yet
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	open := func(path string, offset int64) *os.File {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		return f
	}
	path := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(path, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    *os.File
		want bool
	}{
		"a pipe with a value":      {pipeWith(t, "x\n"), true},
		"a pipe nobody writes to":  {r, false},
		"a file":                   {open(path, 0), true},
		"a file read to its end":   {open(path, 2), false},
		"the null device":          {open(os.DevNull, 0), false},
		"a device that never ends": {open("/dev/zero", 0), false},
		"a directory":              {open(t.TempDir(), 0), false},
	} {
		if got := Waiting(c.f); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestWaitingInScripts runs the test binary, $TOOL, from a shell whose standard input holds two lines. What it reads
// afterwards was not consumed. It needs /proc/PID/io (see readBy) for the subshell and the function.
func TestWaitingInScripts(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/self/io"); err != nil {
		t.Skip(err)
	}
	for script, want := range map[string]string{
		`("$TOOL"; :)`:                                              "waiting a\nb\n",
		`f() { "$TOOL"; :; }; f | cat`:                              "waiting a\nb\n",
		`echo x >value; "$TOOL" <value; :`:                          "waiting x\n",
		`"$TOOL"; :`:                                                "free a\nb\n",
		`while read -r n; do "$TOOL"; done`:                         "free b\n",
		`while read -r n; do ("$TOOL"; :) done`:                     "waiting b\n", // it needs </dev/null
		`cat >list; while read -r n; do "$TOOL"; done <list`:        "free b\n",
		`cat | while read -r n; do "$TOOL"; done`:                   "free b\n",
		`while read -r n; do "$TOOL" </dev/null; done`:              "free free ",
		`read -r n; printf '%s\n' '"$TOOL"' >script; sh <script; :`: "free ",
	} {
		for _, shell := range []string{"sh", "bash"} {
			if _, err := exec.LookPath(shell); err != nil {
				t.Log(err)
				continue
			}
			cmd := exec.Command(shell, "-c", script)
			cmd.Dir = t.TempDir()
			cmd.Stdin = pipeWith(t, "a\nb\n")
			cmd.Env = append(os.Environ(), childVariable+"=1", "TOOL="+self)
			if out, err := cmd.Output(); err != nil || string(out) != want {
				t.Errorf("%s: %s: %q (%v), want %q", shell, script, out, err, want)
			}
		}
	}
}

// pipeWith returns the end of a pipe that holds content and nothing behind it.
func pipeWith(t *testing.T, content string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if _, err := w.WriteString(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return r
}
