//go:build unix

package descriptor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNamed(t *testing.T) {
	for path, want := range map[string]bool{
		"/dev/stdin": true, "/dev/fd/0": true, "/dev/fd/63": true, "/proc/self/fd/7": true, "/dev//fd/3": true,
		"/dev/fd/x": false, "/dev/fd/": false, "/dev/fd/-1": false, "/dev/fd/3/x": false, "vault.key": false, "/dev/null": false, "": false,
	} {
		if got := Named(path); got != want {
			t.Errorf("Named(%q) = %v", path, got)
		}
	}
}

func TestOpenDuplicates(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "from the pipe"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Open(fmt.Sprintf("/dev/fd/%d", r.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err != nil || string(got) != "from the pipe" {
		t.Errorf("read %q, %v", got, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("the original was closed with the duplicate: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	var pathErr *fs.PathError
	if _, err := Open("/dev/fd/987654"); !errors.As(err, &pathErr) || pathErr.Path != "/dev/fd/987654" {
		t.Errorf("a descriptor that is not open: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestHide: a key file is closed in programs under every descriptor that it has, and by every name that leads to it.
func TestHide(t *testing.T) {
	dir := t.TempDir()
	path, link, other := filepath.Join(dir, "key"), filepath.Join(dir, "link"), filepath.Join(dir, "other")
	for _, p := range []string{path, other} {
		if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for name, hidden := range map[string]func(fd int) string{
		"its path":       func(int) string { return path },
		"a link to it":   func(int) string { return link },
		"its descriptor": func(fd int) string { return fmt.Sprintf("/dev/fd/%d", fd) },
		"the process":    func(fd int) string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd) },
	} {
		open := inheritable(t, path)
		stays := inheritable(t, other)
		Hide(hidden(open))
		if !closesOnExec(t, open) {
			t.Errorf("%s: open in programs", name)
		}
		if closesOnExec(t, stays) {
			t.Errorf("%s: another file is closed in programs", name)
		}
	}
}

// inheritable opens a file as a shell does for a program.
func inheritable(t *testing.T, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

func closesOnExec(t *testing.T, fd int) bool {
	t.Helper()
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil {
		t.Fatal(err)
	}
	return flags&unix.FD_CLOEXEC != 0
}
