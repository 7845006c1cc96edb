//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/render"
	"github.com/mazevault/vault-tool/provider"
)

// renderPlaces are the two ways to render the secret A, and where it goes.
func renderPlaces(f *folder) map[string]struct {
	args           []string
	file, manifest string
} {
	f.write("t", `{{ secret "A" }}`, 0o600)
	return map[string]struct {
		args           []string
		file, manifest string
	}{
		"dir":      {[]string{"--dir", "d", "--allow-disk"}, "d/A", "d/" + render.ManifestName},
		"template": {[]string{"--template", "t", "--output", "out", "--allow-disk"}, "out", ".out" + render.ManifestName},
	}
}

// TestRenderWatchMakesUp: who reads the files is told of a change though the watcher was killed before, or another rendering
// made it; and that once.
func TestRenderWatchMakesUp(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "0"})
	values := 0
	for name, place := range renderPlaces(f) {
		t.Run(name, func(t *testing.T) {
			tell := func(command string) []string { return append([]string{"--on-change", command}, place.args...) }
			change := func() (want string) {
				values++
				f.mustRun(fmt.Sprint(values), "add", "--name", "A")
				return fmt.Sprint(values)
			}
			note := tell("cat " + place.file + " >> " + name + ".told")
			told := func() string {
				content, _ := os.ReadFile(f.path(name + ".told"))
				return string(content)
			}

			onRecord := func() bool {
				var m struct{ Change, Told string }
				content, err := os.ReadFile(f.path(place.manifest))
				return err == nil && json.Unmarshal(content, &m) == nil && m.Told != "" && m.Told == m.Change
			}

			// Killed within the command; the first files are not told of.
			w := f.watch(t, nil, tell("kill -KILL $PPID")...)
			all := change()
			_ = w.cmd.Wait()
			if w.cmd.ProcessState.ExitCode() == exitOK {
				t.Fatalf("the watcher ended by itself: %s", &w.stderr)
			}
			f.mustRun("", append([]string{"render"}, place.args...)...) // changes nothing and clears nothing
			w = f.watch(t, nil, place.args...)                          // tells nobody
			w.stop(syscall.SIGTERM, exitOK)
			w = f.watch(t, nil, note...)
			w.until("the change of the killed watcher is told", func() bool { return told() == all })

			// Another rendering is first while the watcher cannot run, and does not hold the lock.
			w.until("that is on record", onRecord)
			f.mustRun("", append([]string{"render"}, place.args...)...) // so the watcher has given up the lock
			if err := w.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			all += change()
			f.mustRun("", append([]string{"render"}, place.args...)...)
			if err := w.cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			w.until("the change of another is told", func() bool { return told() == all })
			w.until("that is on record", onRecord)
			w.stop(syscall.SIGTERM, exitOK)

			all += change()
			f.mustRun("", append([]string{"render"}, place.args...)...)
			w = f.watch(t, nil, note...)
			w.until("the change between two watchers is told", func() bool { return told() == all })
			w.until("that is on record", onRecord)
			w.stop(syscall.SIGTERM, exitOK)

			w = f.watch(t, nil, note...)
			time.Sleep(300 * time.Millisecond)
			w.stop(syscall.SIGTERM, exitOK)
			if told() != all {
				t.Errorf("told %q instead of %q", told(), all)
			}
		})
	}
}

// TestRenderWatchRepeatsCommand until it succeeds, reports the failure once, and goes on to the next change.
func TestRenderWatchRepeatsCommand(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	f.mustRun("", "render", "--dir", "d", "--allow-disk")
	w := f.watch(t, nil, "--dir", "d", "--allow-disk", "--on-change", "echo >> tries; test -e allowed && cp d/A told")
	f.mustRun("2", "add", "--name", "A")
	w.until("it is tried twice more", func() bool { return strings.Count(f.read("tries"), "\n") >= 3 })
	if n := strings.Count(w.stderr.String(), "--on-change: exit status 1; it is tried again"); n != 1 {
		t.Errorf("told %d times: %s", n, &w.stderr)
	}
	f.mustRun("3", "add", "--name", "A") // takes the place, and is tried at once
	w.until("the next change is told", func() bool { return strings.Count(w.stderr.String(), "it is tried again") == 2 })
	f.write("allowed", "", 0o600)
	w.until("it succeeded", f.holds("told", "3"))
	w.until("that is told", func() bool { return strings.Contains(w.stderr.String(), "what reads d has been told of the change") })
	tries := strings.Count(f.read("tries"), "\n")
	f.mustRun("4", "add", "--name", "A") // it succeeds at once, so that it is one try more, whenever a repetition would come
	w.until("the last change is told", f.holds("told", "4"))
	if n := strings.Count(f.read("tries"), "\n"); n != tries+1 {
		t.Errorf("%d tries after it had succeeded, for one change", n-tries)
	}
	w.stop(syscall.SIGTERM, exitOK)
}

// TestTelling goes through what may come between a change and its telling.
func TestTelling(t *testing.T) {
	due := func(tl *telling) string {
		select {
		case change := <-tl.due:
			return change
		default:
			return ""
		}
	}
	want := func(tl *telling, change string) {
		t.Helper()
		tl.ask()
		if got := due(tl); got != change {
			t.Errorf("due is %q instead of %q", got, change)
		}
	}
	hooks := []renderHook{{flag: "--on-change"}}
	changed := func(change string) render.Report { return render.Report{Change: change} }

	tl := newTelling(hooks)
	tl.rendered(render.Report{First: true}, true)
	want(tl, "")
	tl.rendered(changed("a"), false)
	tl.ask()
	tl.rendered(changed("b"), false) // before the hooks have begun with a
	want(tl, "b")
	tl.rendered(changed("c"), false) // while they run for b
	want(tl, "c")
	if tl.ended(hookRuns{change: "b"}); tl.failed() {
		t.Error("c has not failed")
	}
	want(tl, "")
	for i := range 3 {
		if report := tl.ended(hookRuns{change: "c", failed: []string{"x"}}); report != (i == 0) || !tl.failed() {
			t.Errorf("failure %d: reported %v, failed %v", i, report, tl.failed())
		}
		want(tl, "c")
	}
	if !tl.ended(hookRuns{change: "c"}) || tl.failed() {
		t.Error("the end of the failure is not reported")
	}
	want(tl, "")
	tl.rendered(render.Report{First: true}, false) // the directory was removed
	want(tl, "")
	tl.rendered(changed("d"), false)
	want(tl, "d")

	tl = newTelling(hooks)
	tl.rendered(render.Report{Change: "b", Told: "a"}, true)
	want(tl, "b")
	tl = newTelling(hooks)
	tl.rendered(render.Report{Change: "b", Told: "b"}, true)
	want(tl, "")
	tl = newTelling(nil)
	tl.rendered(render.Report{Change: "b", Told: "a"}, true)
	if want(tl, ""); tl.failed() {
		t.Error("nobody is to be told")
	}
}

// TestRenderRetry: the times double up to the last, and begin anew after a success.
func TestRenderRetry(t *testing.T) {
	r := newRenderRetry()
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		if r.delay != want*time.Second {
			t.Errorf("%v instead of %v s", r.delay, want)
		}
		r.again()
	}
	if r.over(); r.delay != time.Second {
		t.Errorf("%v after a success", r.delay)
	}
}

// TestRenderWatchRequires a secret: at the start it is an error, later the files stay.
func TestRenderWatchRequires(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "0"})
	for name, place := range renderPlaces(f) {
		t.Run(name, func(t *testing.T) {
			f.mustRun("1", "add", "--name", "A")
			args := append([]string{"--require", "A", "--require", "NEEDED", "--require", "TOO"}, place.args...)
			f.wantFailure(exitNotFound, []string{"NEEDED, TOO"}, "", append([]string{"render", "--watch"}, args...)...)
			f.wantFailure(exitNotFound, []string{"NEEDED, TOO"}, "", append([]string{"render"}, args...)...)
			if _, err := os.Lstat(f.path(strings.Split(place.file, "/")[0])); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("something was made: %v", err)
			}
			f.mustRun(`{"A":"1","NEEDED":"n","TOO":"t"}`, "encrypt", "--force")
			w := f.watch(t, nil, args...)
			f.mustRun("", "rm", "NEEDED")
			w.until("it is told", func() bool {
				return strings.Contains(w.stderr.String(), "secret not found: NEEDED; the files stay as they are for now")
			})
			f.mustRun("2", "add", "--name", "A")
			time.Sleep(1500 * time.Millisecond) // it has been tried again by now
			if n := strings.Count(w.stderr.String(), "warning:"); n != 1 || !f.holds(place.file, "1")() {
				t.Errorf("told %d times, A is %q: %s", n, f.read(place.file), &w.stderr)
			}
			f.mustRun("n", "add", "--name", "NEEDED")
			w.until("the file is current", f.holds(place.file, "2"))
			w.stop(syscall.SIGTERM, exitOK)
			f.mustRun("", "rm", "NEEDED", "TOO")
		})
	}
}

// TestRenderWithoutNotifications: a refusal of the system is no word about the vault, and nothing to make room for.
func TestRenderWithoutNotifications(t *testing.T) {
	f := &folder{t: t, dir: t.TempDir()}
	stderr, openErr := os.Create(f.path("stderr"))
	if openErr != nil {
		t.Fatal(openErr)
	}
	defer stderr.Close()
	w := &renderWatch{app: &app{stderr: stderr, getenv: func(string) string { return "" }}}
	err := fmt.Errorf("%w, files are looked at every 30s: %w", provider.ErrNoNotify, syscall.ENOSPC)
	if w.isDue(provider.Change{Warning: err}) {
		t.Error("it is no reason to render")
	}
	text := f.read("stderr")
	if !strings.Contains(text, "every 30s") || !strings.Contains(text, "only later") || !strings.Contains(text, "fs.inotify.max_user_watches") ||
		strings.Contains(text, "make room") || strings.Contains(text, "stay as they are") {
		t.Errorf("it says: %s", text)
	}
}
