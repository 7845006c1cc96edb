package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// renderCrash is a rendering that is killed at each of its calls in turn.
type renderCrash struct {
	name    string
	args    []string
	prepare func(*folder)
	want    map[string]string // the files at the end
	old     map[string]string // what they may hold before
}

func renderCrashes() []renderCrash {
	dir := []string{"render", "--allow-disk", "--dir", "d"}
	after := map[string]string{"A": "new", "B": "same", "app/C": "c"}
	first := renderCrash{name: "first", args: dir, prepare: func(*folder) {}, want: after}
	owned := first
	owned.name, owned.args = "first with owner", append(slices.Clone(dir), "--owner", "65534:65534", "--mode", "0440")
	update := renderCrash{
		name: "update", args: dir, want: after, old: map[string]string{"A": "old", "B": "same", "app": "file", "GONE": "g", "sub/GONE": "g"},
		prepare: func(f *folder) {
			f.mustRun(`{"A":"old","B":"same","app":"file","GONE":"g","sub/GONE":"g"}`, "encrypt", "--vault-file", "old.vault")
			f.mustRun("", append(slices.Clone(dir), "--vault-file", "old.vault")...)
		},
	}
	template := renderCrash{
		name: "template", args: []string{"render", "--allow-disk", "--template", "t", "--output", "d/out"},
		want: map[string]string{"out": "new"}, old: map[string]string{"out": "old"},
		prepare: func(f *folder) {
			f.write("t", `{{ secret "A" }}`, 0o600)
			if err := os.Mkdir(f.path("d"), 0o700); err != nil {
				f.t.Fatal(err)
			}
			f.mustRun(`{"A":"old"}`, "encrypt", "--vault-file", "old.vault")
			f.mustRun("", "render", "--allow-disk", "--template", "t", "--output", "d/out", "--vault-file", "old.vault")
		},
	}
	crashes := []renderCrash{first, update, template}
	if os.Getuid() == 0 {
		crashes = append(crashes, owned)
	}
	return crashes
}

// rendered returns the files below d by path, other than the manifest.
func rendered(f *folder) map[string]string {
	f.t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(f.path("d"), func(path string, entry os.DirEntry, err error) error {
		name, _ := filepath.Rel(f.path("d"), path)
		if err != nil || entry.IsDir() || strings.HasPrefix(name, ".vault-tool-render.json") || name == "out.lock" || name == ".out.vault-tool-render.json" {
			return err
		}
		content, err := os.ReadFile(path)
		found[name] = string(content)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		f.t.Fatal(err)
	}
	return found
}

// TestRenderKilledAtEachCall: whatever the moment, every file is whole, the next run completes the work and leaves nothing stray,
// and one with nothing selected removes all that either has made.
func TestRenderKilledAtEachCall(t *testing.T) {
	changing := []string{"write", "fchmod", "fchown", "renameat2", "renameat", "linkat", "unlinkat", "mkdirat", "flock", "fsync"}
	for _, c := range renderCrashes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			start := newVault(t, true, map[string]string{"A": "new", "B": "same", "app/C": "c"})
			c.prepare(start)
			undisturbed := start.copyOf(t).trace("", c.args, func(call) verdict { return verdict{} })
			if undisturbed.code != exitOK {
				t.Fatalf("undisturbed: exit %d: %s", undisturbed.code, undisturbed.stderr)
			}
			step := 1
			if testing.Short() {
				step = 4
			}
			kills := 0
			for n := 1; n <= len(undisturbed.calls)+3; n += step { // the runtime makes a few more or less
				f := start.copyOf(t)
				r := f.trace("", c.args, func(made call) verdict {
					return verdict{kill: made.n == n && (slices.Contains(changing, made.name) || made.name == "openat" && made.args[2]&unix.O_CREAT != 0)}
				})
				if r.signal == syscall.SIGKILL {
					kills++
					c.check(f)
				}
				if err := os.RemoveAll(f.dir); err != nil {
					t.Error(err)
				}
				if t.Failed() {
					t.Fatalf("killed at call %d of %v", n, undisturbed.calls)
				}
			}
			if kills < 10 && !testing.Short() {
				t.Errorf("only %d kills", kills)
			}
		})
	}
}

func (c renderCrash) check(f *folder) {
	for name, content := range rendered(f) {
		if isTemp := strings.HasSuffix(name, ".vault-tmp"); !isTemp && content != c.want[name] && content != c.old[name] {
			f.t.Errorf("%s holds %q", name, content)
		}
	}
	f.mustRun("", c.args...)
	want := c.want
	c.compare(f, want)
	if slices.Contains(c.args, "--dir") && c.old != nil && !strings.Contains(f.read("d/.vault-tool-render.json"), `"change":"`) {
		f.t.Error("a watcher would not tell of the change")
	}
	if output, err := exec.Command("find", f.path("d"), "-perm", "/o=rwx").CombinedOutput(); err != nil || len(output) > 0 {
		f.t.Errorf("open to others: %s (%v)", output, err)
	}
	if slices.Contains(c.args, "--owner") {
		output, err := exec.Command("find", f.path("d"), "!", "-user", "65534", "!", "-name", ".vault-tool-render.json*").CombinedOutput()
		if err != nil || len(output) > 0 {
			f.t.Errorf("not the owner's: %s (%v)", output, err)
		}
	}
	if slices.Contains(c.args, "--dir") {
		f.mustRun("", append(slices.Clone(c.args), "--except", "*", "--except", "*/*")...)
		c.compare(f, nil)
		if names := (&folder{t: f.t, dir: f.path("d")}).names(); len(names) != 2 {
			f.t.Errorf("left at the end: %v", names)
		}
	}
}

func (c renderCrash) compare(f *folder, want map[string]string) {
	got := rendered(f)
	for name := range got {
		if _, ok := want[name]; !ok {
			f.t.Errorf("stray file %s", name)
		}
	}
	for name, content := range want {
		if got[name] != content {
			f.t.Errorf("%s holds %q instead of %q", name, got[name], content)
		}
	}
}
