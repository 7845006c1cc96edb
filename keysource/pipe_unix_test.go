//go:build unix

package keysource

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pipeWith returns the reading end of a pipe that holds content.
func pipeWith(t *testing.T, content string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if _, err := w.WriteString(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return r
}

// descriptorPath is the name that a shell's process substitution has for an open file.
func descriptorPath(f *os.File) string { return fmt.Sprintf("/dev/fd/%d", f.Fd()) }

// TestPipe reads a pipe by its descriptor, as often as one likes though it can be read only once.
func TestPipe(t *testing.T) {
	f := NewFile(descriptorPath(pipeWith(t, "secret\r\n")))
	defer f.Close()
	for range 3 {
		wantPassphrase(t, f, "secret")
	}
	found, err := f.Successor(t.Context(), func([]byte) error { return nil })
	if found != "" || err != nil {
		t.Errorf("a pipe has a successor: %v, %v", found, err)
	}
	if text := fmt.Sprintf("%+v %#v", f, f); strings.Contains(text, "secret") {
		t.Error("prints what it keeps: ", text)
	}
	f.Close()
	f.Close()
	_, err = read(f)
	wantError(t, err, ErrStat)
}

func TestPipeConcurrently(t *testing.T) {
	f := NewFile(descriptorPath(pipeWith(t, "secret")))
	defer f.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { wantPassphrase(t, f, "secret") })
	}
	wg.Wait()
}

// TestPassphraseWithinPassphrase uses one source inside its own callback, as a rotation to the same key
// does before it is refused.
func TestPassphraseWithinPassphrase(t *testing.T) {
	f := NewFile(descriptorPath(pipeWith(t, "secret")))
	defer f.Close()
	err := f.Passphrase(t.Context(), func([]byte) error {
		wantPassphrase(t, f, "secret")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestEmptyAndEndlessPipes(t *testing.T) {
	_, err := read(NewFile(descriptorPath(pipeWith(t, ""))))
	wantError(t, err, ErrEmpty)

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for chunk := make([]byte, 1<<16); ; {
			if _, err := w.Write(chunk); err != nil { // nobody reads any more
				return
			}
		}
	}()
	_, err = read(NewFile(descriptorPath(r)))
	wantError(t, err, ErrTooLarge)
	_ = r.Close()
	<-done
	_ = w.Close()
}

// TestDescriptorOfFile reads a regular file by its descriptor, from where it stands and more than once.
func TestDescriptorOfFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "skipped secret\n", 0o600)
	opened, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := opened.Seek(int64(len("skipped ")), 0); err != nil {
		t.Fatal(err)
	}
	f := NewFile(descriptorPath(opened))
	defer f.Close()
	wantPassphrase(t, f, "secret")
	wantPassphrase(t, f, "secret")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = read(NewFile(descriptorPath(opened)))
	wantError(t, err, ErrPermissive)
}

func TestClosedDescriptor(t *testing.T) {
	_, err := read(NewFile("/dev/fd/987654"))
	wantError(t, err, ErrStat)
}

// TestSocket reads a socket, which is what some programs start others with as standard input. It shows
// mode 0777, which says nothing about who can read it.
func TestSocket(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer theirs.Close()
	if _, err := ours.WriteString("secret\n"); err != nil {
		t.Fatal(err)
	}
	if err := ours.Close(); err != nil {
		t.Fatal(err)
	}
	f := NewFile(descriptorPath(theirs))
	defer f.Close()
	wantPassphrase(t, f, "secret")
	wantPassphrase(t, f, "secret")
}

func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	go func() { _ = os.WriteFile(path, []byte("secret\n"), 0) }()
	f := NewFile(path)
	defer f.Close()
	wantPassphrase(t, f, "secret")
	wantPassphrase(t, f, "secret") // nobody writes a second time

	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := read(NewFile(path)) // which nobody has to write to for that
	wantError(t, err, ErrPermissive)
}

// TestSuccessorIsNoPipe has a pipe that nobody writes to where a successor would be.
func TestSuccessorIsNoPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	if err := unix.Mkfifo(path+SuccessorSuffix, 0o400); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		found, err := NewFile(path).Successor(t.Context(), func([]byte) error { return nil })
		if found != "" {
			err = os.ErrExist
		}
		done <- err
	}()
	select {
	case err := <-done:
		wantError(t, err, ErrStat)
	case <-time.After(10 * time.Second):
		t.Fatal("waits for the pipe")
	}
}

// TestDevices reads devices that never end, or are empty. World-readable as they are, they are refused.
func TestDevices(t *testing.T) {
	for _, path := range []string{"/dev/zero", "/dev/null"} {
		done := make(chan error, 1)
		go func() {
			_, err := read(NewFile(path))
			done <- err
		}()
		select {
		case err := <-done:
			wantError(t, err, ErrPermissive)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s is read for ever", path)
		}
	}
}

// TestPrivateEndlessDevice has a device of the right mode, which must be given up after MaxBytes.
func TestPrivateEndlessDevice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zero")
	if err := unix.Mknod(path, unix.S_IFCHR|0o400, int(unix.Mkdev(1, 5))); err != nil {
		t.Skip("cannot make a device: ", err)
	}
	_, err := read(NewFile(path))
	if os.IsPermission(err) || err != nil && strings.Contains(err.Error(), "permission denied") {
		t.Skip("devices do not work on this file system: ", err)
	}
	wantError(t, err, ErrTooLarge)
}
