package provider

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/vaultfile"
)

func containsAll(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// TestSlowReportStopsNothing: while a report is under way, or never ends, the secrets are kept current, and the status says when
// they were looked at.
func TestSlowReportStopsNothing(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1", "B": "1"})
	p := mustOpen(t, s.config())
	entered, resume := make(chan struct{}), make(chan struct{})
	reports := make(chan Change, 10)
	done := make(chan error, 1)
	go func() {
		done <- p.Watch(context.Background(), func(c Change) {
			reports <- c
			if len(c.Changed) == 1 && c.Changed[0] == "A" {
				close(entered)
				<-resume
			}
		})
	}()
	s.update(t, map[string]string{"A": "2"})
	<-entered
	before, err := p.Status()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []map[string]string{{"B": "2"}, {"C": "3"}, {"C": "4", "B": "-"}} {
		s.update(t, step)
		eventually(t, "the provider follows", func() bool {
			for name, value := range step {
				if p.Get(name) != strings.TrimPrefix(value, "-") {
					return false
				}
			}
			return true
		})
	}
	after, err := p.Status()
	if err != nil || !after.Checked.After(before.Checked) {
		t.Errorf("checked %v, then %v, %v", before.Checked, after.Checked, err)
	}
	close(resume)
	<-reports
	wantChange(t, <-reports, []string{"C"}, nil, []string{"B"})
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	wantError(t, <-done, ErrClosed)
}

// TestWatchWithoutAReport only keeps the secrets current.
func TestWatchWithoutAReport(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	p := mustOpen(t, s.config())
	done := make(chan error, 1)
	go func() { done <- p.Watch(context.Background(), nil) }()
	for _, value := range []string{"2", "3"} {
		s.update(t, map[string]string{"A": value})
		eventually(t, "A is "+value, func() bool { return p.Get("A") == value })
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	wantError(t, <-done, ErrClosed)
}

// TestWithWatch: the provider watches from the opening on until it is closed.
func TestWithWatch(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	reports := make(chan Change, 10)
	for name, option := range map[string]Option{"told": WithWatch(func(c Change) { reports <- c }), "not told": WithWatch(nil)} {
		t.Run(name, func(t *testing.T) {
			env := envOf(map[string]string{EnvVaultFile: s.vault, EnvKeyFile: s.key})
			p, err := FromEnv(t.Context(), option, WithLookupEnv(env), WithPollInterval(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			s.update(t, map[string]string{"A": name})
			eventually(t, "it follows", func() bool { return p.Get("A") == name })
			if name == "told" {
				wantChange(t, <-reports, nil, []string{"A"}, nil)
			}
		})
	}
}

// TestNextWatchIsToldWhatNobodyWas: changes that a reload found before the first Watch, or between two, and a problem that lasts.
func TestNextWatchIsToldWhatNobodyWas(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	p := mustOpen(t, s.config())
	reload := func(secrets map[string]string) {
		t.Helper()
		s.update(t, secrets)
		if _, err := p.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	watchOnce := func() Change { // returns the first report, and ends the Watch
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var first Change
		wantError(t, p.Watch(ctx, func(c Change) { first = c; cancel() }), context.Canceled)
		return first
	}
	reload(map[string]string{"A": "2"})
	reload(map[string]string{"B": "1"})
	wantChange(t, watchOnce(), []string{"B"}, []string{"A"}, nil)
	reload(map[string]string{"B": "-"})
	wantChange(t, watchOnce(), nil, nil, []string{"B"})
	rename(t, s.vault, s.vault+".x")
	if _, err := p.Reload(t.Context()); err == nil {
		t.Fatal("the vault is gone, and reload has no error")
	}
	for range 2 {
		wantError(t, watchOnce().Err, vaultfile.ErrNotExist)
	}
	second := watch(t, p)
	third := watch(t, p)
	wantError(t, second.next(t, 0).Err, vaultfile.ErrNotExist)
	wantError(t, third.next(t, 0).Err, vaultfile.ErrNotExist)
}

func TestFates(t *testing.T) {
	const name = "A"
	of := func(f fate) (c Change) {
		switch f {
		case added:
			c.Added = []string{name}
		case changed:
			c.Changed = []string{name}
		case removed:
			c.Removed = []string{name}
		}
		return c
	}
	for _, tt := range []struct {
		fates []fate
		want  fate // 0: nothing
	}{
		{[]fate{added}, added},
		{[]fate{added, changed}, added},
		{[]fate{added, removed}, 0},
		{[]fate{added, removed, added}, added},
		{[]fate{changed, changed}, changed},
		{[]fate{changed, removed}, removed},
		{[]fate{changed, removed, added}, changed},
		{[]fate{removed, added, changed}, changed},
		{[]fate{removed, added, removed}, removed},
	} {
		w := newWatcher()
		for _, f := range tt.fates {
			w.add(of(f))
		}
		got, ok := w.take()
		if ok != (tt.want != 0) {
			t.Errorf("%v: there is something to report: %v", tt.fates, ok)
		}
		want := of(tt.want)
		wantChange(t, got, want.Added, want.Changed, want.Removed)
		if _, ok := w.take(); ok {
			t.Errorf("%v: it is reported twice", tt.fates)
		}
	}
}

// TestProblemsOfOneKindAreOne: a text that changes, with the size of a file that is being written, is no new problem.
func TestProblemsOfOneKindAreOne(t *testing.T) {
	small := func(n int) error { return fmt.Errorf("v: %w (%d bytes)", vaultfile.ErrTooSmall, n) }
	missing := func(path string, cause error) error { return &fs.PathError{Op: "open", Path: path, Err: cause} }
	loose := func(n int) error { return errors.New(fmt.Sprint("answer ", n, " of the store")) }
	for _, tt := range []struct {
		a, b error
		same bool
	}{
		{nil, nil, true},
		{nil, small(1), false},
		{small(1), small(21), true},
		{small(1), vaultfile.ErrNotVault, false},
		{missing("a", fs.ErrNotExist), missing("b", fs.ErrNotExist), true},
		{missing("a", fs.ErrNotExist), missing("a", fs.ErrPermission), false},
		{loose(1), loose(200), true},
		{loose(1), errors.New("another"), false},
		{errors.Join(small(1), loose(1)), errors.Join(small(2), loose(2)), true},
		{errors.Join(small(1), loose(1)), small(2), false},
		{&MissingError{Unset: []string{"A"}}, &MissingError{Unset: []string{"A"}}, true},
		{&MissingError{Unset: []string{"A"}}, &MissingError{Unset: []string{"B"}}, false},
	} {
		if sameKind(tt.a, tt.b) != tt.same {
			t.Errorf("%v and %v: of one kind is %v", tt.a, tt.b, !tt.same)
		}
	}

	w := newWatcher()
	for n := range 20 {
		w.add(Change{Err: small(n)})
		if _, ok := w.take(); ok != (n == 0) {
			t.Errorf("problem %d is reported: %v", n, ok)
		}
	}
	w.add(Change{Err: vaultfile.ErrNotVault})
	w.add(Change{Err: small(7)}) // as it was before, and the other was not told
	if _, ok := w.take(); ok {
		t.Error("a problem that was told before is told again")
	}
	w.add(Change{})
	if c, ok := w.take(); !ok || c.Err != nil {
		t.Errorf("the end of the problem: %+v, %v", c, ok)
	}
}

// TestDirectoryThatIsMadeAgain is noticed when it comes, with what is in it, however long it was away.
func TestDirectoryThatIsMadeAgain(t *testing.T) {
	first, second := newSite(t, map[string]string{"A": "1"}), newSite(t, map[string]string{"A": "2"})
	base := t.TempDir()
	dir := filepath.Join(base, "deep", "deeper", "vault")
	install := func(s *site) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"secrets.vault", "vault.key"} { // CopyFS leaves them to the umask
			if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	install(first)
	p := mustOpen(t, Config{
		VaultFile: filepath.Join(dir, "secrets.vault"), KeyFile: filepath.Join(dir, "vault.key"),
		LookupEnv: noEnv, PollInterval: time.Hour,
	})
	notifiers := make(chan *notifier, 1)
	r := watchWith(t, p, func(paths []string) *notifier {
		n := newNotifier(paths)
		notifiers <- n
		return n
	})
	n := <-notifiers
	if err := os.RemoveAll(filepath.Join(base, "deep")); err != nil {
		t.Fatal(err)
	}
	wantError(t, r.next(t, 0).Err, vaultfile.ErrNotExist)
	eventually(t, "the deepest directory that is there is watched", func() bool {
		list := n.system.WatchList()
		return len(list) == 1 && list[0] == base
	})
	// The retries after a failure grow to half an hour: it is the notification that makes this quick.
	install(second)
	wantChange(t, r.next(t, 1), nil, []string{"A"}, nil)
}
