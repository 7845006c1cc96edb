//go:build unix

package durable

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKeepOpensNoPipeOrLink puts what would hold up a reader, or lead it elsewhere, at the name of the copy.
func TestKeepOpensNoPipeOrLink(t *testing.T) {
	for what, plant := range map[string]func(path string) error{
		"pipe": func(path string) error { return unix.Mkfifo(path+".bak", 0o600) },
		"link": func(path string) error { return os.Symlink(path, path+".bak") },
	} {
		t.Run(what, func(t *testing.T) {
			path := newFile(t, "vault", oldContent, 0o600)
			if err := plant(path); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := Keep(path, ".bak", 0)
				done <- err
			}()
			select {
			case err := <-done:
				if !errors.Is(err, ErrNotRegular) {
					t.Errorf("error %v, want ErrNotRegular", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("Keep waits for the pipe")
			}
			wantContent(t, path, oldContent)
		})
	}
}
