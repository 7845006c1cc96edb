package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mazevault/vault-tool/internal/backups"
)

// TestBackupsAtOnce: many backups of a vault that is being written, all of which end well and none of which is torn.
func TestBackupsAtOnce(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	if err := os.Mkdir(f.path("backups"), 0o700); err != nil {
		t.Fatal(err)
	}
	const processes, keep = 8, 3
	var running sync.WaitGroup
	for n := range processes {
		running.Go(func() {
			f.succeed("", "backup", "--to", "backups", "--keep", fmt.Sprint(keep), "--lock-timeout", "1m")
		})
		running.Go(func() {
			f.succeed(fmt.Sprint(n), "add", "--name", fmt.Sprintf("N%d", n), "--lock-timeout", "1m")
		})
	}
	running.Wait()
	f.mustRun("", "verify", "backups")
	if names, _ := filepath.Glob(f.path("backups/*")); len(names) != keep {
		t.Errorf("there are %q", names)
	}
	f.mustRun("", "backup", "--to", "backups", "--skip-unchanged")
	f.mustRun("", "list", "N7")
}

// TestRestoresAtOnce: of several restores and writers each sees a whole vault, and what was replaced is kept.
func TestRestoresAtOnce(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	f.put("one", f.read("secrets.vault"), 0o600)
	const rounds = 4
	var running sync.WaitGroup
	for n := range rounds {
		running.Go(func() { f.succeed("", "restore", "one", "--lock-timeout", "1m") })
		running.Go(func() {
			f.succeed("v", "add", "--name", fmt.Sprintf("N%d", n), "--lock-timeout", "1m")
		})
	}
	running.Wait()
	f.mustRun("", "restore", "one")
	f.wantSecrets(someSecrets)
	found := ""
	kept, err := filepath.Glob(f.path("secrets.vault.bak*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range kept {
		found += f.mustRun("", "list", "--vault-file", path)
	}
	for n := range rounds { // each was added to a vault that is kept
		if !strings.Contains(found, fmt.Sprintf("N%d\n", n)) {
			t.Errorf("N%d is in none of %q", n, kept)
		}
	}
}

// TestBackupBusy: a directory that somebody else holds is not waited for for ever.
func TestBackupBusy(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	if err := os.Mkdir(f.path("backups"), 0o700); err != nil {
		t.Fatal(err)
	}
	dir := holdDirectory(t, f.path("backups"))
	f.wantFailure(exitBusy, []string{"hint: nothing was changed; another backup to that directory is under way"}, "", "backup", "--to", "backups", "--lock-timeout", "10ms")
	dir.Release()
	f.mustRun("", "backup", "--to", "backups")
}

func holdDirectory(t *testing.T, path string) *backups.Directory {
	t.Helper()
	dir, locked, err := backups.Hold(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !locked {
		dir.Release()
		t.Skip("the file system cannot lock directories")
	}
	return dir
}
