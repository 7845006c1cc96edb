package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/kdf"
)

// beforeHistory is the last commit that knew no history.
const beforeHistory = "3552b3433a79"

// buildBeforeHistory builds the tool of that commit, with the cheap key derivation.
func buildBeforeHistory(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("git", "-C", root, "cat-file", "-e", beforeHistory+"^{commit}").CombinedOutput(); err != nil {
		t.Skipf("the repository does not have commit %s: %s", beforeHistory, out)
	}
	dir := t.TempDir()
	script := `git -C "$1" archive ` + beforeHistory + ` | tar -x -C "$2" && cd "$2" && go build -tags quickkdf -o vault-tool-before ./cmd/vault-tool`
	if out, err := exec.Command("sh", "-c", script, "sh", root, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "vault-tool-before")
}

// TestPreviousVersion has the version before the history and this one work on each other's vaults.
func TestPreviousVersion(t *testing.T) {
	if kdf.Quick {
		t.Skip("builds another version, which takes a while: runs without -tags quickkdf")
	}
	t.Parallel()
	f := newFolder(t, true)
	before := *f
	before.tool = buildBeforeHistory(t)

	before.mustRun("", "init")
	before.mustRun(`{"A":"1","B":"2"}`, "encrypt")
	f.wantSecrets(map[string]string{"A": "1", "B": "2"})
	f.mustRun("one", "add", "A")
	if payload := f.payload(); strings.Contains(payload, `".`) {
		t.Errorf("a vault from before got a history by itself: %s", payload)
	}
	f.mustRun("", "history", "--keep", "10")
	f.mustRun("two", "add", "A")
	if got := f.mustRun("", "get", "A", "--version", "1"); got != "one" {
		t.Errorf("version 1 is %q", got)
	}

	// It keeps what it does not know.
	before.wantSecrets(map[string]string{"A": "two", "B": "2"})
	before.mustRun("theirs", "add", "B")
	before.mustRun("new", "add", "C")
	before.mustRun("", "rotate-key", "--in-place")
	f.wantSecrets(map[string]string{"A": "two", "B": "theirs", "C": "new"})
	if got := f.mustRun("", "get", "A", "--version", "1"); got != "one" {
		t.Errorf("version 1 is %q", got)
	}
	for name, want := range map[string]string{"B": "lost", "C": "another program"} {
		if got := f.mustRun("", "history", name); !strings.Contains(got, want) || !strings.Contains(got, "another program") {
			t.Errorf("the history of %s: %s", name, got)
		}
	}
	f.mustRun("mine", "add", "B")
	f.mustRun("", "rollback", "B")
	f.wantSecrets(map[string]string{"A": "two", "B": "theirs", "C": "new"})
}
