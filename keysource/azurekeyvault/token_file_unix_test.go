//go:build unix

package azurekeyvault_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTokenFile: whatever the variable names is read in bounded time and memory, or refused with its name.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo, large, directory := filepath.Join(dir, "fifo"), filepath.Join(dir, "large"), filepath.Join(dir, "directory")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, make([]byte, 64<<10+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, large, directory, "/dev/zero", filepath.Join(dir, "absent")} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			azure := start(t)
			began := time.Now()
			r := run(t, azure, append(azure.WorkloadEnv(), "AZURE_FEDERATED_TOKEN_FILE="+path), order{URL: testURL})
			if !slices.Contains(r.Kinds, "IdentityConfig") || !strings.Contains(r.Error, "AZURE_FEDERATED_TOKEN_FILE") || !strings.Contains(r.Error, path) {
				t.Errorf("after %v: error %q is %v", time.Since(began), r.Error, r.Kinds)
			}
			if n := len(azure.Requests()); n != 0 {
				t.Errorf("%d requests were made", n)
			}
		})
	}
}
