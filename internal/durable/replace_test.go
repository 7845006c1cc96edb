package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestReplace(t *testing.T) {
	for _, data := range []string{"", "x", newContent, strings.Repeat("0123456789", 1<<20)} {
		path := newFile(t, "vault", oldContent, 0o640)
		want := readEntry(t, path)
		want.content = data
		if err := Replace(path, []byte(data), ReplaceOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := readEntry(t, path); !got.equal(want) {
			t.Errorf("%d bytes: mode or content differ", len(data))
		}
		noStrays(t, filepath.Dir(path))
	}
}

func TestReplaceRefuses(t *testing.T) {
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "file"), oldContent, 0o600)
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	symlink(t, "dir", filepath.Join(dir, "to-dir"))
	symlink(t, "nowhere", filepath.Join(dir, "dangling"))
	symlink(t, "loop", filepath.Join(dir, "loop"))
	before := snapshot(t, dir)
	for _, test := range []struct {
		path string
		want error
	}{
		{"missing", fs.ErrNotExist},
		{"missing/file", fs.ErrNotExist},
		{"dangling", fs.ErrNotExist},
		{"dir", ErrNotRegular},
		{"dir/", ErrNotRegular},
		{"dir/..", ErrNotRegular},
		{"to-dir", ErrNotRegular},
		{"", ErrNotRegular},
		{"loop", nil},
		{"file/below", nil},
	} {
		path := test.path
		if path != "" {
			path = dir + string(filepath.Separator) + test.path
		}
		for what, err := range map[string]error{
			"Replace":          Replace(path, []byte(newContent), ReplaceOptions{}),
			"CheckReplaceable": CheckReplaceable(path),
		} {
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%s(%q): %v, want %v", what, test.path, err, test.want)
			} else if test.path != "" && !strings.Contains(err.Error(), dir) {
				t.Errorf("%s(%q): error does not name the path: %v", what, test.path, err)
			}
		}
	}
	sameEntries(t, snapshot(t, dir), before)
}

func TestReplaceFollowsLinks(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"real/deep", "links"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(root, "real", "vault")
	putFile(t, file, oldContent, 0o600)
	symlink(t, file, filepath.Join(root, "absolute"))
	symlink(t, "real/vault", filepath.Join(root, "relative"))
	symlink(t, "../relative", filepath.Join(root, "links", "chain"))
	symlink(t, filepath.Join("real", "deep"), filepath.Join(root, "deep"))
	// The kernel takes ".." from the directory behind the link, so this is real/vault and not vault.
	symlink(t, "deep/../vault", filepath.Join(root, "through"))

	for i, name := range []string{"absolute", "relative", "links/chain", "through", "deep/../vault"} {
		path := root + "/" + name
		before, _ := os.Readlink(path)
		content := fmt.Sprint("content ", i)
		if err := Replace(path, []byte(content), ReplaceOptions{}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if after, _ := os.Readlink(path); after != before {
			t.Errorf("%s: link to %q became %q", name, before, after)
		}
		wantContent(t, file, content)
	}
	for _, dir := range []string{".", "real", "links", "real/deep"} {
		noStrays(t, filepath.Join(root, dir))
	}
}

func TestReplaceRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	putFile(t, "vault", oldContent, 0o600)
	if err := Replace("vault", []byte(newContent), ReplaceOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := Create("other", nil, CreateOptions{Like: "vault"}); err != nil {
		t.Fatal(err)
	}
	if err := Rename("./other", "vault"); err != nil {
		t.Fatal(err)
	}
	l, err := Lock(t.Context(), "vault", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Unlock()
	wantContent(t, "vault.lock", "")
	wantContent(t, "vault", "")
}

func TestReplaceHooks(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o640)
	dir := filepath.Dir(path)
	var order []string
	verify := func(f *os.File) error {
		order = append(order, "verify")
		got, err := io.ReadAll(f)
		if err != nil || !bytes.Equal(got, []byte(newContent)) {
			t.Errorf("Verify read %q, %v", got, err)
		}
		if info, err := f.Stat(); err != nil || enforcesMode && info.Mode() != 0o640 {
			t.Errorf("Verify sees %v, %v", info.Mode(), err)
		}
		if _, err := f.Write([]byte("x")); err == nil {
			t.Error("Verify got a file it can write to")
		}
		wantContent(t, path, oldContent)
		return nil
	}
	check := func(old *os.File) error {
		at := map[bool]string{false: oldContent, true: newContent}[slices.Contains(order, "check")]
		order = append(order, "check")
		wantContent(t, path, at)
		if got, err := io.ReadAll(old); err != nil || string(got) != oldContent {
			t.Errorf("Check read %q, %v", got, err)
		}
		if _, err := old.Write([]byte("x")); err == nil {
			t.Error("Check got a file it can write to")
		}
		return nil
	}
	if err := Replace(path, []byte(newContent), ReplaceOptions{Verify: verify, Check: check}); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(order) != "[verify check check]" {
		t.Errorf("hooks ran in the order %v", order)
	}
	wantContent(t, path, newContent)

	refusal := &fs.PathError{Op: "judge", Path: "it", Err: errors.New("bad")}
	before := snapshot(t, dir)
	for what, o := range map[string]ReplaceOptions{
		"verify": {Verify: func(*os.File) error { return refusal }},
		"check":  {Check: func(*os.File) error { return refusal }},
	} {
		err := Replace(path, []byte("x"), o)
		if !errors.Is(err, refusal) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", what, err)
		}
		sameEntries(t, snapshot(t, dir), before)
	}
}

// TestReplaceKeepsLateWrite has a program write to the old file, in place and without a lock, at the last moment before the
// old file loses its name; or keep it open for writing until then.
func TestReplaceKeepsLateWrite(t *testing.T) {
	unchanged := func(old *os.File) error {
		if got, err := io.ReadAll(old); err != nil || string(got) != oldContent {
			return errors.Join(ErrChanged, err)
		}
		return nil
	}
	for _, exchanges := range []bool{true, false} {
		for _, staysOpen := range []bool{true, false} {
			t.Run(fmt.Sprintf("exchange %v, stays open %v", exchanges, staysOpen), func(t *testing.T) {
				if staysOpen && runtime.GOOS != "linux" {
					t.Skip("only Linux tells who has a file open")
				}
				path := newFile(t, "file", oldContent, 0o600)
				editor, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer editor.Close()
				want := oldContent
				write := func() {
					if staysOpen || want != oldContent {
						return
					}
					want += "late"
					if _, err := editor.WriteString("late"); err != nil {
						t.Error(err)
					}
					editor.Close()
				}
				sys := realSystem()
				exchange, rename := sys.exchange, sys.rename
				sys.exchange = func(d *directory, a, b string) error {
					if !exchanges {
						return errors.ErrUnsupported
					}
					write()
					return exchange(d, a, b)
				}
				sys.rename = func(d *directory, from, to string) error {
					write()
					return rename(d, from, to)
				}
				err = sys.replace(path, []byte(newContent), ReplaceOptions{Check: unchanged, NoWriters: true})
				if !errors.Is(err, ErrChanged) || errors.Is(err, ErrUnconfirmed) {
					t.Errorf("error %v, want ErrChanged", err)
				}
				wantContent(t, path, want)
				noStrays(t, filepath.Dir(path))
			})
		}
	}
}

// TestCheckSeesTheFileThatGoes has somebody aim the link at another file while Replace begins, and back before Check: the
// path shows the file that was meant, the descriptor the one that would be lost.
func TestCheckSeesTheFileThatGoes(t *testing.T) {
	dir := t.TempDir()
	meant, other, link := filepath.Join(dir, "meant"), filepath.Join(dir, "other"), filepath.Join(dir, "link")
	for path, content := range map[string]string{meant: oldContent, other: "not meant"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	aim := func(at string) {
		t.Helper()
		_ = os.Remove(link)
		if err := os.Symlink(at, link); err != nil {
			t.Skip("no symbolic links: ", err)
		}
	}
	aim(other)
	refusal := errors.New("another file")
	err := Replace(link, []byte(newContent), ReplaceOptions{Check: func(old *os.File) error {
		aim(meant)
		if got, err := io.ReadAll(old); err != nil || string(got) == oldContent {
			t.Errorf("Check read %q, %v", got, err)
		}
		return refusal
	}})
	if !errors.Is(err, refusal) {
		t.Errorf("error %v", err)
	}
	wantContent(t, meant, oldContent)
	wantContent(t, other, "not meant")
}

// TestVerifyChecksTheFileItself has somebody exchange the temporary file before it is opened again.
func TestVerifyChecksTheFileItself(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	sys := realSystem()
	open := sys.open
	sys.open = func(d *directory, name string) (*os.File, error) {
		if isTempOf(name, "vault") {
			putFile(t, path+".foreign", "foreign", 0o600)
			if err := os.Rename(path+".foreign", filepath.Join(filepath.Dir(path), name)); err != nil {
				t.Fatal(err)
			}
		}
		return open(d, name)
	}
	err := sys.replace(path, []byte(newContent), ReplaceOptions{Verify: func(*os.File) error {
		t.Error("Verify was given the foreign file")
		return nil
	}})
	if !errors.Is(err, ErrChanged) {
		t.Errorf("error %v, want ErrChanged", err)
	}
	wantContent(t, path, oldContent)
	noStrays(t, filepath.Dir(path))
}

func TestReplacePanicLeavesNothing(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	before := snapshot(t, filepath.Dir(path))
	func() {
		defer func() { recover() }()
		_ = Replace(path, []byte("x"), ReplaceOptions{Verify: func(*os.File) error { panic("hook") }})
	}()
	sameEntries(t, snapshot(t, filepath.Dir(path)), before)
}

// TestReplaceKeepsForeignChange covers a program that takes no lock and puts its own file at the path at the last moment.
func TestReplaceKeepsForeignChange(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	sys := realSystem()
	exchange := sys.exchange
	supported := true
	sys.exchange = func(d *directory, a, b string) error {
		if content, err := os.ReadFile(path); err == nil && string(content) == oldContent {
			putFile(t, path+".foreign", "foreign", 0o600)
			if err := os.Rename(path+".foreign", path); err != nil {
				t.Error(err)
			}
		}
		err := exchange(d, a, b)
		supported = !unsupported(err)
		return err
	}
	err := sys.replace(path, []byte(newContent), ReplaceOptions{})
	if !supported {
		t.Skip("files cannot be exchanged here")
	}
	if !errors.Is(err, ErrChanged) {
		t.Errorf("error %v, want ErrChanged", err)
	}
	wantContent(t, path, "foreign")
	noStrays(t, filepath.Dir(path))
}

// TestReadersSeeWholeFiles has readers without a lock open the file while it is replaced over and over.
func TestReadersSeeWholeFiles(t *testing.T) {
	contents := []string{strings.Repeat("a", 100_000), strings.Repeat("b", 70_000)}
	path := newFile(t, "vault", contents[0], 0o600)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got, err := os.ReadFile(path)
				if err != nil || string(got) != contents[0] && string(got) != contents[1] {
					t.Errorf("reader got %d bytes, %v", len(got), err)
					return
				}
			}
		})
	}
	for start, i := time.Now(), 1; time.Since(start) < 200*time.Millisecond; i++ {
		if err := Replace(path, []byte(contents[i%2]), ReplaceOptions{}); err != nil {
			t.Error(err)
			break
		}
	}
	close(done)
	readers.Wait()
}

func TestCheckReplaceable(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o640)
	before := snapshot(t, filepath.Dir(path))
	if err := CheckReplaceable(path); err != nil {
		t.Error(err)
	}
	sameEntries(t, snapshot(t, filepath.Dir(path)), before)
}
