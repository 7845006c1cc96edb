package keysource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// writeKey makes a key file of the given mode, whatever the umask.
func writeKey(tb testing.TB, path, content string, mode fs.FileMode) {
	tb.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, mode)); err != nil {
		tb.Fatal(err)
	}
}

// read returns a source's passphrase.
func read(source Source) (string, error) {
	var got string
	err := source.Passphrase(context.Background(), func(passphrase []byte) error {
		got = string(passphrase)
		return nil
	})
	return got, err
}

func wantPassphrase(tb testing.TB, source Source, want string) {
	tb.Helper()
	if got, err := read(source); err != nil || got != want {
		tb.Errorf("%s: %q, %v, want %q", source, got, err, want)
	}
}

func wantError(tb testing.TB, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Errorf("error %v, want %v", err, want)
	}
}

func TestFileIsReadAfresh(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	f := NewFile(path)
	defer f.Close()
	for _, content := range []string{"first\n", "second\r\n", "third"} {
		writeKey(t, path, content, 0o600)
		wantPassphrase(t, f, strings.TrimRight(content, "\r\n"))
	}
	if f.String() != path {
		t.Errorf("String() is %q", f.String())
	}
}

func TestFilePassesErrorsOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "secret", 0o400)
	failure := errors.New("of the callback")
	wantError(t, NewFile(path).Passphrase(t.Context(), func([]byte) error { return failure }), failure)
}

func TestFilePermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permission bits mean nothing on Windows")
	}
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "secret\n", 0o600)
	for _, mode := range []fs.FileMode{0o400, 0o600, 0o700, 0o500} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		wantPassphrase(t, NewFile(path), "secret")
	}
	for _, mode := range []fs.FileMode{0o440, 0o404, 0o604, 0o620, 0o602, 0o601, 0o610, 0o644, 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := read(NewFile(path))
		wantError(t, err, ErrPermissive)
		want := fmt.Sprintf("vault key file has overly permissive permissions: %s has mode %04o and belongs to uid %d", path, mode, os.Getuid())
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	_, err := read(NewFile(filepath.Join(dir, "none")))
	wantError(t, err, ErrStat)
	wantError(t, err, fs.ErrNotExist)
	if want := "vault: cannot stat key file: "; !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%q does not begin with %q or does not name the file", err, want)
	}

	_, err = read(NewFile(dir))
	wantError(t, err, ErrStat)
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory is said to be missing: %v", err)
	}

	path := filepath.Join(dir, "empty")
	for _, content := range []string{"", "\n", "\r\n"} {
		writeKey(t, path, content, 0o600)
		_, err = read(NewFile(path))
		if wantError(t, err, ErrEmpty); !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name the file", err)
		}
	}
}

func TestFileWithoutReadPermission(t *testing.T) {
	if os.Geteuid() <= 0 {
		t.Skip("root reads every file, and Windows has no such mode")
	}
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "secret", 0)
	_, err := read(NewFile(path))
	wantError(t, err, ErrStat)
	wantError(t, err, fs.ErrPermission)
}

func TestFileSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	longest := strings.Repeat("x", MaxBytes)
	writeKey(t, path, longest, 0o600)
	wantPassphrase(t, NewFile(path), longest)
	writeKey(t, path, longest+"x", 0o600)
	_, err := read(NewFile(path))
	wantError(t, err, ErrTooLarge)
	if err := os.Truncate(path, 1<<40); err == nil { // as far as the file system has sparse files
		_, err := read(NewFile(path))
		wantError(t, err, ErrTooLarge)
	}
}

func TestFileThroughSymlink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target.key"), filepath.Join(dir, "link.key")
	writeKey(t, target, "secret\n", 0o400)
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	wantPassphrase(t, NewFile(link), "secret")
}

func TestSuccessor(t *testing.T) {
	dir, otherDir := t.TempDir(), t.TempDir()
	path, link := filepath.Join(dir, "vault.key"), filepath.Join(otherDir, "link.key")
	writeKey(t, path, "current\n", 0o400)
	if err := os.Symlink(path, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	want := func(given, passphrase string) {
		t.Helper()
		var got string
		found, err := NewFile(given).Successor(t.Context(), func(p []byte) error { got = string(p); return nil })
		if err != nil || (found != "") != (passphrase != "") || got != passphrase {
			t.Errorf("%s: %v, %q, %v, want %q", given, found, got, err, passphrase)
		}
	}
	want(path, "")
	want(link, "")
	writeKey(t, path+SuccessorSuffix, "beside the target\n", 0o400)
	want(path, "beside the target")
	want(link, "beside the target")
	writeKey(t, link+SuccessorSuffix, "beside the link\r\n", 0o400)
	want(link, "beside the link")
	want(filepath.Join(dir, ".", "vault.key"), "beside the target")
	want(filepath.Join(dir, "none.key"), "")
}

func TestSuccessorErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "current", 0o400)
	writeKey(t, path+SuccessorSuffix, "\n", 0o600)
	use := func([]byte) error { return nil }
	found, err := NewFile(path).Successor(t.Context(), use)
	if wantError(t, err, ErrEmpty); found != "" {
		t.Errorf("an empty successor was used: %s", found)
	}
	if runtime.GOOS == "windows" {
		return
	}
	writeKey(t, path+SuccessorSuffix, "next", 0o644)
	_, err = NewFile(path).Successor(t.Context(), use)
	wantError(t, err, ErrPermissive)
}

func TestFileConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "secret", 0o400)
	f := NewFile(path)
	defer f.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { wantPassphrase(t, f, "secret") })
	}
	wg.Wait()
}

func TestFilePrintsNoSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "CANARY", 0o400)
	f := NewFile(path)
	wantPassphrase(t, f, "CANARY")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, f); strings.Contains(text, "CANARY") || strings.Contains(text, fmt.Sprintf("%x", "CANARY")) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}
