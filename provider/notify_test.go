package provider

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// watchWith is watch with a notifier that the test has a hand in.
func watchWith(t *testing.T, p *Provider, newNotifier func([]string) *notifier) *recorder {
	t.Helper()
	p.newNotifier = newNotifier
	return watch(t, p)
}

func wantNoNotify(t *testing.T, c Change, cause error) {
	t.Helper()
	wantError(t, c.Warning, ErrNoNotify)
	wantError(t, c.Warning, cause)
	if c.names() || c.Err != nil || !strings.Contains(c.Warning.Error(), "looked at every 50ms") {
		t.Errorf("%+v", c)
	}
}

// TestWatchWithoutNotifications: where the system gives none at all, that is reported once, and changes are noticed.
func TestWatchWithoutNotifications(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	c := s.config()
	c.PollInterval = 50 * time.Millisecond
	r := watchWith(t, mustOpen(t, c), func([]string) *notifier {
		n := newNotifier(nil)
		n.fail(syscall.EMFILE)
		return n
	})
	wantNoNotify(t, r.next(t, 0), syscall.EMFILE)
	s.update(t, map[string]string{"A": "2"})
	wantChange(t, r.next(t, 1), nil, []string{"A"}, nil)
	time.Sleep(200 * time.Millisecond)
	if n := len(r.all()); n != 2 {
		t.Errorf("%d reports: %+v", n, r.all())
	}
}

// TestWatchLosesNotifications: a directory that comes later may be one too many. That is reported once too, however often it is
// tried again.
func TestWatchLosesNotifications(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	c := s.config()
	c.PollInterval = 50 * time.Millisecond
	var full atomic.Bool
	var refused atomic.Int32
	r := watchWith(t, mustOpen(t, c), func(paths []string) *notifier {
		n := newNotifier(paths)
		add := n.add
		n.add = func(dir string) error {
			if full.Load() {
				refused.Add(1)
				return syscall.ENOSPC // inotify_add_watch(2)
			}
			return add(dir)
		}
		return n
	})
	time.Sleep(200 * time.Millisecond)
	if got := r.all(); len(got) > 0 {
		t.Errorf("reported: %+v", got)
	}
	full.Store(true)
	wantNoNotify(t, r.next(t, 0), syscall.ENOSPC)
	eventually(t, "it is tried again", func() bool { return refused.Load() > 3 })
	s.update(t, map[string]string{"A": "2"})
	wantChange(t, r.next(t, 1), nil, []string{"A"}, nil)
}

// TestPathThatLeadsNowhere is no failure of notifications: the place where it breaks off is watched.
func TestPathThatLeadsNowhere(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "file"), "")
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Skip("no symbolic links:", err)
	}
	n := newNotifier([]string{filepath.Join(dir, "absent", "x"), filepath.Join(dir, "loop", "x"), filepath.Join(dir, "file", "sub", "x")})
	defer n.close()
	select {
	case err := <-n.failure():
		t.Error(err)
	default:
	}
}
