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
	pipe := func(content string) *os.File {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close(); w.Close() })
		if _, err := w.WriteString(content); err != nil {
			t.Fatal(err)
		}
		return r
	}
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
		"a pipe with a value":      {pipe("x\n"), true},
		"a pipe nobody writes to":  {pipe(""), false},
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

// TestWaitingInScripts runs the test binary, $TOOL, from a shell. What it reads afterwards was not consumed.
func TestWaitingInScripts(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	for script, want := range map[string]string{
		`echo x >value; "$TOOL" <value; :`:                                  "waiting x\n",
		`printf 'a\nb\n' >list; while read -r n; do "$TOOL"; done <list`:    "free b\n",
		`printf 'a\nb\n' | while read -r n; do "$TOOL"; done`:               "free b\n",
		`printf 'read -r a; "$TOOL"\nx\ny\n' | bash`:                        "free y\n",
		`printf 'a\nb\n' | while read -r n; do "$TOOL" </dev/null; done; :`: "free free ",
	} {
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), childVariable+"=1", "TOOL="+self)
		if out, err := cmd.Output(); err != nil || string(out) != want {
			t.Errorf("%s: %q (%v), want %q", script, out, err, want)
		}
	}
}
