// Package testdir gives tests directories that programs of other users may enter.
package testdir

import (
	"os"
	"path/filepath"
	"testing"
)

// Open lets every user enter the directories from dir up to the test's own. Where it cannot, because the temporary directory itself
// lets nobody else in ($TMPDIR with mode 0700, as pam_tmpdir makes it), the test is skipped.
func Open(t testing.TB, dir string) {
	t.Helper()
	const enter = 0o001
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		within, err := filepath.Rel(os.TempDir(), dir)
		if own := err == nil && filepath.IsLocal(within) && within != "."; own {
			if err := os.Chmod(dir, info.Mode().Perm()|0o055); err != nil {
				t.Fatal(err)
			}
		} else if info.Mode().Perm()&enter == 0 {
			t.Skipf("other users may not enter %s", dir)
		}
		if dir == filepath.Dir(dir) {
			return
		}
	}
}
