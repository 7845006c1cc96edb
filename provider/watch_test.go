package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

func TestWatchReportsChanges(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1", "B": "2"})
	p := mustOpen(t, s.config())
	r := watch(t, p)
	s.update(t, map[string]string{"A": "-", "B": "other", "C": "3"})
	wantChange(t, r.next(t, 0), []string{"C"}, []string{"B"}, []string{"A"})
	if p.Get("B") != "other" {
		t.Errorf("B is %q in the callback's time", p.Get("B"))
	}
	s.update(t, map[string]string{"D": "4"})
	wantChange(t, r.next(t, 1), []string{"D"}, nil, nil)
}

// TestWatchSeesWhatCameBefore: a change between the opening and the watching is not lost.
func TestWatchSeesWhatCameBefore(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	p := mustOpen(t, s.config())
	s.update(t, map[string]string{"A": "2"})
	wantChange(t, watch(t, p).next(t, 0), nil, []string{"A"}, nil)
}

// TestWatchReportsAProblemOnce, and its end, and another in between.
func TestWatchReportsAProblemOnce(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	c := s.config()
	c.PollInterval = 20 * time.Millisecond // so that it meets the problem often
	p := mustOpen(t, c)
	r := watch(t, p)
	good := readAll(t, s)
	rename(t, s.vault, s.vault+".x")
	wantError(t, r.next(t, 0).Err, vaultfile.ErrNotExist)
	time.Sleep(200 * time.Millisecond)
	writeFile(t, s.vault+".bad", strings.Repeat("x", 100))
	rename(t, s.vault+".bad", s.vault)
	wantError(t, r.next(t, 1).Err, vaultfile.ErrNotVault)
	if p.Get("A") != "1" {
		t.Errorf("A is %q during the problem", p.Get("A"))
	}
	good.restore(t, s)
	if c := r.next(t, 2); c.Err != nil || c.names() {
		t.Errorf("the end of the problem is reported as %+v", c)
	}
	time.Sleep(100 * time.Millisecond)
	if n := len(r.all()); n != 3 {
		t.Errorf("%d reports, want 3: %+v", n, r.all())
	}
}

// TestWatchNoticesTheKey: a key file that is replaced is tried, though the vault is the same.
func TestWatchNoticesTheKey(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permission bits mean nothing there")
	}
	s := newSite(t, map[string]string{"A": "1"})
	p := mustOpen(t, s.config())
	r := watch(t, p)
	if err := os.Chmod(s.key, 0o644); err != nil {
		t.Fatal(err)
	}
	if c := r.next(t, 0); c.Err == nil || !strings.Contains(c.Err.Error(), "overly permissive") {
		t.Errorf("%+v", c)
	}
	if err := os.Chmod(s.key, 0o400); err != nil {
		t.Fatal(err)
	}
	if c := r.next(t, 1); c.Err != nil {
		t.Error(c.Err)
	}
}

// TestWatchKubernetes replaces vault and key as a Kubernetes secret volume does: the files are links to
// ..data/FILE, ..data is a link to a directory, and that link is replaced.
func TestWatchKubernetes(t *testing.T) {
	first, second := newSite(t, map[string]string{"A": "1"}), newSite(t, map[string]string{"A": "2"})
	volume := filepath.Join(t.TempDir(), "volume")
	install := func(s *site, name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(volume, name), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"secrets.vault", "vault.key"} {
			content, err := os.ReadFile(filepath.Join(s.dir, file))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(volume, name, file), string(content))
		}
		if err := os.Symlink(name, filepath.Join(volume, "..data_tmp")); err != nil {
			t.Skip("no symbolic links:", err)
		}
		rename(t, filepath.Join(volume, "..data_tmp"), filepath.Join(volume, "..data"))
	}
	install(first, "..2026_01")
	for _, file := range []string{"secrets.vault", "vault.key"} {
		if err := os.Symlink(filepath.Join("..data", file), filepath.Join(volume, file)); err != nil {
			t.Fatal(err)
		}
	}
	p := mustOpen(t, Config{
		VaultFile: filepath.Join(volume, "secrets.vault"), KeyFile: filepath.Join(volume, "vault.key"),
		LookupEnv: noEnv, PollInterval: time.Hour,
	})
	r := watch(t, p)
	for i, s := range []*site{second, first, second} {
		name := "..2026_1" + string(rune('0'+i))
		install(s, name)
		wantChange(t, r.next(t, i), nil, []string{"A"}, nil)
	}
	if err := os.RemoveAll(filepath.Join(volume, "..2026_01")); err != nil {
		t.Fatal(err)
	}
	if p.Get("A") != "2" {
		t.Errorf("A is %q", p.Get("A"))
	}
}

// TestWatchFollowsADirectory that is replaced as a whole, and goes on in the new one.
func TestWatchFollowsADirectory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a watched directory cannot be renamed there")
	}
	first, second := newSite(t, map[string]string{"A": "1"}), newSite(t, map[string]string{"A": "2"})
	dir := filepath.Join(t.TempDir(), "vault")
	rename(t, first.dir, dir)
	p := mustOpen(t, Config{
		VaultFile: filepath.Join(dir, "secrets.vault"), KeyFile: filepath.Join(dir, "vault.key"),
		LookupEnv: noEnv, PollInterval: time.Hour,
	})
	r := watch(t, p)
	if err := os.Chmod(p.origin.(*fileOrigin).keyPath, 0o644); err != nil {
		t.Fatal(err)
	}
	if r.next(t, 0).Err == nil { // and so the directory is watched by now
		t.Error("the mode of the key file was not noticed")
	}
	rename(t, dir, dir+".old")
	rename(t, second.dir, dir)
	changed := func(i int) {
		t.Helper()
		eventually(t, fmt.Sprintf("A is %d", i), func() bool { return p.Get("A") == fmt.Sprint(i) })
	}
	changed(2)
	second.vault, second.key = filepath.Join(dir, "secrets.vault"), filepath.Join(dir, "vault.key")
	second.unlocker = vaultfile.NewUnlocker(keysource.NewFile(second.key))
	defer second.unlocker.Close()
	second.update(t, map[string]string{"A": "3"})
	changed(3)
}

// TestWatchPolls: without notifications the change is found all the same.
func TestWatchPolls(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	c := s.config()
	c.PollInterval = 50 * time.Millisecond
	p := mustOpen(t, c)
	o := p.origin.(*fileOrigin)
	p.origin = unnotified{o}
	r := watch(t, p)
	s.update(t, map[string]string{"A": "2"})
	wantChange(t, r.next(t, 0), nil, []string{"A"}, nil)
}

type unnotified struct{ *fileOrigin }

func (unnotified) files() []string { return nil }

// TestWatchReportsWhatOthersFind: each Watch gets what Reload found.
func TestWatchReportsWhatOthersFind(t *testing.T) {
	values := map[string]string{"A": "1"}
	p := mustOpen(t, Config{LookupEnv: noEnv, PollInterval: time.Hour, Load: func(context.Context) (*vaultfile.Vault, error) {
		return vaultfile.FromJSON([]byte(`{"A":"` + values["A"] + `"}`))
	}})
	a, b := watch(t, p), watch(t, p)
	eventually(t, "both watch", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.watchers) == 2
	})
	values["A"] = "2"
	if _, err := p.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantChange(t, a.next(t, 0), nil, []string{"A"}, nil)
	wantChange(t, b.next(t, 0), nil, []string{"A"}, nil)
}

func TestWatchEnds(t *testing.T) {
	for name, c := range map[string]Config{"vault": newSite(t, nil).config(), "legacy": {LookupEnv: noEnv}} {
		p := mustOpen(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Watch(ctx, func(c Change) { t.Errorf("%s: %+v", name, c) }) }()
		time.AfterFunc(50*time.Millisecond, cancel)
		wantError(t, <-done, context.Canceled)
		wantError(t, p.Watch(ctx, func(Change) {}), context.Canceled)

		go func() { done <- p.Watch(t.Context(), func(Change) {}) }()
		time.Sleep(50 * time.Millisecond)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		wantError(t, <-done, ErrClosed)
	}
}

// TestCallbackMayCallTheProvider: Reload and Close from the callback do not deadlock.
func TestCallbackMayCallTheProvider(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	p := mustOpen(t, s.config())
	done := make(chan error, 1)
	go func() {
		done <- p.Watch(t.Context(), func(Change) {
			if _, err := p.Reload(t.Context()); err != nil {
				t.Error(err)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}()
	s.update(t, map[string]string{"A": "2"})
	select {
	case err := <-done:
		wantError(t, err, ErrClosed)
	case <-time.After(patience):
		t.Fatal("deadlock")
	}
}

func TestRoutes(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	for _, sub := range []string{"real/deep", "config"} {
		if err := os.MkdirAll(at(sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"config/current": "../real/deep", "config/absolute": at("config", "current"), "config/loop": "loop",
	} {
		if err := os.Symlink(target, at(link)); err != nil {
			t.Skip("no symbolic links:", err)
		}
	}
	for path, want := range map[string][]string{
		at("real", "file"):                {at("real"), at("real", "file")},
		at("config", "current", "file"):   {at("config"), at("config", "current"), at("real", "deep"), at("real", "deep", "file")},
		at("config") + "/current/../file": {at("config"), at("config", "current"), at("real"), at("real", "file")},
		at("config", "absolute", "file"): {at("config"), at("config", "absolute"), at("config", "current"),
			at("real", "deep"), at("real", "deep", "file")},
		at("config", "loop"): {at("config"), at("config", "loop")},
	} {
		_, names := routes([]string{path})
		var got []string
		for name := range names {
			got = append(got, name)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestSchedule(t *testing.T) {
	s := schedule{poll: 3 * time.Second}
	now := time.Now()
	for after, want := range map[time.Duration]time.Duration{0: settleTime} {
		if got := s.touched(now.Add(after)); got != want {
			t.Errorf("%v after the first event: wait %v", after, got)
		}
	}
	if got := s.touched(now.Add(settleTimeMost - time.Millisecond)); got != time.Millisecond {
		t.Errorf("events that never stop: wait %v", got)
	}
	if got := s.touched(now.Add(2 * settleTimeMost)); got != 0 {
		t.Errorf("long after: wait %v", got)
	}
	failure := errors.New("x")
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second} {
		if got := s.looked(failure); got != want {
			t.Errorf("failure %d: wait %v, want %v", i, got, want)
		}
	}
	if got := s.looked(nil); got != 3*time.Second || s.looked(failure) != time.Second {
		t.Errorf("after a success: wait %v", got)
	}
}
