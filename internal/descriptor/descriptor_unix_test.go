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
