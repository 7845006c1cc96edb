package durable

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockHolder names the variable by which a test starts its own program to take a lock and hold it.
const lockHolder = "DURABLE_TEST_HOLD_LOCK"

func TestMain(m *testing.M) {
	if path := os.Getenv(lockHolder); path != "" {
		l, err := Lock(context.Background(), path, time.Second)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		time.Sleep(time.Minute)
		_ = l.Unlock() // keeps l from the garbage collector till then
	}
	if path := os.Getenv(replacer); path != "" {
		replaceForever(path)
	}
	os.Exit(m.Run())
}

func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLock(t *testing.T, path string) *FileLock {
	t.Helper()
	l, err := Lock(t.Context(), path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLock(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o644)
	l := mustLock(t, path)
	if l.Path() != path+".lock" {
		t.Errorf("lock file is %s", l.Path())
	}
	start := time.Now()
	_, err := Lock(t.Context(), path, 50*time.Millisecond)
	if took := time.Since(start); !errors.Is(err, ErrLockTimeout) || took < 50*time.Millisecond || took > 5*time.Second {
		t.Errorf("second lock: %v after %v", err, took)
	}
	if err == nil || !strings.Contains(err.Error(), path+".lock") {
		t.Errorf("error does not name the lock file: %v", err)
	}
	if _, err := Lock(t.Context(), path, 0); !errors.Is(err, ErrLockTimeout) {
		t.Errorf("one try: %v", err)
	}
	for range 2 {
		if err := l.Unlock(); err != nil {
			t.Errorf("Unlock: %v", err)
		}
	}
	if e := readEntry(t, path+".lock"); enforcesMode && e.mode != 0o600 || e.content != "" {
		t.Errorf("lock file is %v", e)
	}
	if err := mustLock(t, path).Unlock(); err != nil {
		t.Error(err)
	}
	noStrays(t, filepath.Dir(path))
}

func TestLockContext(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	defer mustLock(t, path).Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := Lock(ctx, path, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while waiting: %v", err)
	}
	if _, err := Lock(ctx, path, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, path, time.Minute); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrLockTimeout) {
		t.Errorf("deadline of the caller: %v", err)
	}
}

func TestLockPaths(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "vault")
	if err := mustLock(t, file).Unlock(); err != nil { // of a file that is still to be made
		t.Fatal(err)
	}
	putFile(t, file, oldContent, 0o600)
	symlink(t, "vault", filepath.Join(dir, "link"))
	symlink(t, dir, filepath.Join(dir, "here"))
	l := mustLock(t, filepath.Join(dir, "here", "link"))
	defer l.Unlock()
	for _, path := range []string{file, filepath.Join(dir, "link"), dir + "/here/../" + filepath.Base(dir) + "/vault"} {
		if _, err := Lock(t.Context(), path, 0); !errors.Is(err, ErrLockTimeout) {
			t.Errorf("%s is not guarded by the lock of its file: %v", path, err)
		}
	}
	missing := filepath.Join(dir, "none")
	_, err := Lock(t.Context(), filepath.Join(missing, "vault"), time.Second)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing+":") {
		t.Errorf("missing directory: %v", err)
	}
}

func TestLockFileMustBeRegular(t *testing.T) {
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "victim"), oldContent, 0o600)
	symlink(t, "victim", filepath.Join(dir, "a.lock"))
	symlink(t, "nowhere", filepath.Join(dir, "b.lock"))
	if err := os.Mkdir(filepath.Join(dir, "c.lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, dir)
	for _, name := range []string{"a", "b", "c"} {
		if _, err := Lock(t.Context(), filepath.Join(dir, name), 0); !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	sameEntries(t, snapshot(t, dir), before)
}

// TestLockFileRemoved has somebody remove the lock file while it is taken: the lock that is handed out must be the one
// that the next caller meets.
func TestLockFileRemoved(t *testing.T) {
	for when := range 3 { // before it is opened, after it was locked, while it is confirmed by name
		path := newFile(t, "vault", oldContent, 0o600)
		if err := mustLock(t, path).Unlock(); err != nil {
			t.Fatal(err)
		}
		sys := realSystem()
		lstat, calls := sys.lstat, 0
		sys.lstat = func(d *directory, name string) (fs.FileInfo, error) {
			info, err := lstat(d, name)
			if name == "vault.lock" {
				if calls++; calls == 1 && when == 0 || calls == 2 && when > 0 {
					if err := os.Remove(path + ".lock"); err != nil {
						t.Fatal(err)
					}
					if when == 1 {
						return lstat(d, name)
					}
					if when == 2 {
						putFile(t, path+".lock", "", 0o600)
						return lstat(d, name)
					}
				}
			}
			return info, err
		}
		l, err := sys.lock(t.Context(), path, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Lock(t.Context(), path, 0); !errors.Is(err, ErrLockTimeout) {
			t.Errorf("removed at point %d: second lock: %v", when, err)
		}
		if err := l.Unlock(); err != nil {
			t.Error(err)
		}
	}
}

// TestLockFileBecomesLink has a symbolic link take the place of the lock file after that was looked at.
func TestLockFileBecomesLink(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	if err := mustLock(t, path).Unlock(); err != nil {
		t.Fatal(err)
	}
	sys := realSystem()
	lstat := sys.lstat
	sys.lstat = func(d *directory, name string) (fs.FileInfo, error) {
		info, err := lstat(d, name)
		if err == nil && info.Mode().IsRegular() {
			if err := os.Remove(path + lockSuffix); err != nil {
				t.Fatal(err)
			}
			symlink(t, "vault", path+lockSuffix)
		}
		return info, err
	}
	if _, err := sys.lock(t.Context(), path, time.Second); !errors.Is(err, ErrNotRegular) {
		t.Errorf("error %v, want ErrNotRegular", err)
	}
}

func TestLockEndsWithProcess(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	holder := exec.Command(executable(t))
	holder.Env = append(os.Environ(), lockHolder+"="+path)
	output, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	defer holder.Process.Kill()
	if line, _ := bufio.NewReader(output).ReadString('\n'); line != "locked\n" {
		t.Fatalf("holder says %q", line)
	}
	if _, err := Lock(t.Context(), path, 20*time.Millisecond); !errors.Is(err, ErrLockTimeout) {
		t.Errorf("held by another process: %v", err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	l, err := Lock(t.Context(), path, 10*time.Second)
	if err != nil {
		t.Fatalf("after its end: %v", err)
	}
	_ = holder.Wait() // killed
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
}

// TestNoUpdateLost counts in a file, each step under the lock.
func TestNoUpdateLost(t *testing.T) {
	const writers, updates = 8, 10
	path := newFile(t, "counter", "0", 0o600)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range updates {
				if err := increment(t.Context(), path); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	wantContent(t, path, strconv.Itoa(writers*updates))
	noStrays(t, filepath.Dir(path))
}

func increment(ctx context.Context, path string) error {
	l, err := Lock(ctx, path, time.Minute)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return errors.Join(err, l.Unlock())
	}
	n, err := strconv.Atoi(string(content))
	if err == nil {
		err = Replace(path, []byte(strconv.Itoa(n+1)), ReplaceOptions{})
	}
	return errors.Join(err, l.Unlock())
}
