package gitobjects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// git runs git in a directory.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository returns a directory with one, and goes there.
func repository(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	t.Chdir(dir)
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// contents reads staged files as the commands do.
func contents(t *testing.T) map[string]string {
	t.Helper()
	staged, err := StagedFiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, ids := make(map[string]string), []string(nil)
	for _, s := range staged {
		ids = append(ids, s.ID)
	}
	at := 0
	err = Each(t.Context(), ids, func(o Object, r io.Reader) error {
		b, err := io.ReadAll(r)
		got[staged[at].Path] = string(b)
		at++
		return err
	})
	if err != nil || at != len(staged) {
		t.Fatal(at, len(staged), err)
	}
	return got
}

func TestStaged(t *testing.T) {
	dir := repository(t)
	write(t, "kept", "kept")
	write(t, "gone", "gone")
	write(t, "a b\n\"é", "one\ntwo")
	git(t, dir, "add", ".")
	if got := contents(t); len(got) != 3 || got["a b\n\"é"] != "one\ntwo" { // there is no commit yet
		t.Errorf("%q", got)
	}
	git(t, dir, "commit", "-qm", "first")
	write(t, "sub/changed", strings.Repeat("large\n", 100_000))
	write(t, "sub/empty", "")
	git(t, dir, "add", ".")
	git(t, dir, "rm", "-q", "gone")
	write(t, "sub/changed", "in the working tree only")
	t.Chdir("sub")
	if got := contents(t); len(got) != 2 || len(got["sub/changed"]) != 600_000 {
		t.Errorf("%d files, %d bytes", len(got), len(got["sub/changed"]))
	}
}

func TestAll(t *testing.T) {
	dir := repository(t)
	write(t, "sub/f", "content of a blob")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-qm", "the message")
	git(t, dir, "commit", "-qm", "amended away", "--amend")
	t.Chdir(t.TempDir())
	t.Setenv("GIT_DIR", t.TempDir()) // as in a hook; it is not about dir
	kinds, blob := make(map[string]int), ""
	err := All(t.Context(), dir, func(o Object, r io.Reader) error {
		kinds[o.Kind]++
		if o.Kind == "blob" {
			blob = o.ID
			return nil // without reading it
		}
		b, err := io.ReadAll(r)
		if int64(len(b)) != o.Size {
			t.Errorf("%d bytes of %v", len(b), o)
		}
		return err
	})
	if err != nil || fmt.Sprint(kinds) != "map[blob:1 commit:2 tree:2]" {
		t.Error(kinds, err)
	}
	paths, err := Paths(t.Context(), dir, map[string]bool{blob: true})
	if err != nil || len(paths) != 1 || paths[blob] != "sub/f" {
		t.Error(paths, err)
	}
}

func TestFailures(t *testing.T) {
	dir := repository(t)
	write(t, "f", "content")
	git(t, dir, "add", ".")
	id := git(t, dir, "rev-parse", ":f")
	boom := errors.New("boom")
	if err := Each(t.Context(), []string{id, id}, func(Object, io.Reader) error { return boom }); !errors.Is(err, boom) {
		t.Error(err)
	}
	err := Each(t.Context(), []string{strings.Repeat("0", 40), id}, func(o Object, r io.Reader) error {
		b, err := io.ReadAll(r)
		if (o.Kind == Missing) != (len(b) == 0) {
			t.Errorf("%v: %q", o, b)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Each(ctx, []string{id}, func(Object, io.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	if _, err := StagedFiles(t.Context()); !errors.Is(err, ErrGit) || !strings.Contains(err.Error(), "not a git repository") {
		t.Error(err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := StagedFiles(t.Context()); !errors.Is(err, ErrGit) || !strings.Contains(err.Error(), "not installed") {
		t.Error(err)
	}
}

func TestBadOutput(t *testing.T) {
	for _, text := range []string{
		"nonsense\n", "id blob x\n", "id blob -1\n", "id blob 5\nabc", "id blob 3\nabc", "id bl", strings.Repeat("x", 1000), "id blob 3 4\nabc\n",
	} {
		s := stream{in: iotest.OneByteReader(strings.NewReader(text)), buf: make([]byte, 16)}
		if err := s.each(func(Object, io.Reader) error { return nil }); !errors.Is(err, ErrGit) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	s := stream{in: iotest.OneByteReader(strings.NewReader("a blob 3\nabc\nb missing\nc tree 0\n\n")), buf: make([]byte, 16)}
	var got []string
	if err := s.each(func(o Object, _ io.Reader) error { got = append(got, o.ID+o.Kind); return nil }); err != nil || fmt.Sprint(got) != "[ablob bmissing ctree]" {
		t.Error(got, err)
	}
}
