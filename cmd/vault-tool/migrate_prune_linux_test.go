package main

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPruneInterfered has something go wrong when the secrets are in the vault and the lines still in the file: an editor
// writes at the last moment, or the disk is full. Nothing is lost, the hint says what stands, and the command, run again,
// finishes.
func TestPruneInterfered(t *testing.T) {
	if !canFailCalls {
		t.Skip("calls cannot be made to fail on this processor")
	}
	const edit = "EDITED=new\n"
	tests := map[string]struct {
		code    int
		error   string
		edit    string
		disturb func(f *folder, c call, exchanged bool) verdict
	}{
		"an editor writes in place": {exitConflict, ".env changed while it was being migrated", edit, func(f *folder, c call, exchanged bool) verdict {
			if c.name == "renameat2" && exchanged {
				f.write(".env", crashEnv+edit, 0o600)
			}
			return verdict{}
		}},
		"the disk is full": {exitFailed, "no space left on device", "", func(_ *folder, c call, exchanged bool) verdict {
			if exchanged && c.writesFile() {
				return verdict{fail: unix.ENOSPC}
			}
			return verdict{}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newVault(t, true, someSecrets)
			f.write(".env", crashEnv, 0o600)
			exchanged := false // the vault
			r := f.trace("", []string{"migrate-env", "--prune"}, func(c call) verdict {
				v := test.disturb(f, c, exchanged)
				exchanged = exchanged || c.name == "renameat2"
				return v
			})
			if r.code != test.code || !strings.Contains(r.stderr, test.error) || strings.Contains(r.stderr, nothingChanged) ||
				!strings.Contains(r.stderr, "hint: the secrets are in secrets.vault, and their lines still in .env; ") ||
				!strings.HasSuffix(r.stderr, "run the command again to finish\n") {
				t.Errorf("exit %d: %s", r.code, r.stderr)
			}
			if got := f.read(".env"); got != crashEnv+test.edit {
				t.Errorf("the .env file is %q", got)
			}
			migrated := withSecrets(someSecrets, "DATABASE_URL", "postgres://u:p@db/x", "REDIS_PASSWORD", "s3cret")
			f.wantSecrets(migrated)
			f.mustRun("", "migrate-env", "--prune")
			f.wantSecrets(migrated)
			if got := f.read(".env"); got != prunedCrashEnv+test.edit {
				t.Errorf("the .env file is %q", got)
			}
		})
	}
}
