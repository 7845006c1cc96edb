package checkup

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/testdir"
)

func (m *made) git(arguments ...string) {
	m.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", m.dir, "-c", "user.name=x", "-c", "user.email=x@example.org"}, arguments...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("git %q: %v\n%s", arguments, err, out)
	}
}

func TestGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	m := newHost(t)
	m.git("init", "--quiet", ".")
	found := m.finds("warn key-not-ignored srv/vault.key")
	m.mends(found, "echo /vault.key >> DIR/srv/.gitignore", true)
	if len(found) == 1 && !strings.Contains(found[0].What, "beside the vault") {
		t.Errorf("%s", found[0].What)
	}
	m.write(".gitignore", "*.key\n*.key.*\n", 0o644)
	m.finds()

	m.git("add", "--force", "srv/vault.key")
	m.mends(m.finds("error key-tracked srv/vault.key"), "git -C DIR/srv rm --cached -- vault.key && vault-tool rotate-key --in-place", true)
	m.git("commit", "--quiet", "--message", "a slip")
	m.git("rm", "--quiet", "--cached", "srv/vault.key")
	m.git("commit", "--quiet", "--message", "taken back")
	m.mends(m.finds("error key-in-history srv/vault.key"), "vault-tool rotate-key --in-place", true)

	committed, err := os.ReadFile(m.path("srv/vault.key"))
	if err != nil {
		t.Fatal(err)
	}
	m.write("srv/vault.key", "a key after a rotation", 0o400)
	m.finds("info key-in-history srv/vault.key")
	m.write("srv/vault.key", string(committed), 0o400)

	m.write("srv/:(glob)*.key", "a key", 0o400) // a name that is no pattern
	m.Key = m.path("srv/:(glob)*.key")
	m.finds()

	m.write("srv/vault.key.old", "an older key", 0o400)
	m.Key = m.path("srv/vault.key")
	m.git("add", "--force", "srv/vault.key.old")
	m.finds("error key-in-history srv/vault.key", "error key-tracked srv/vault.key.old", "info old-keys srv/vault.key.old")
}

// TestLinkIntoRepository: the key is where its link leads.
func TestLinkIntoRepository(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	m := newHost(t)
	m.write("repository/key", "a key", 0o400)
	m.git("init", "--quiet", "repository")
	m.git("-C", m.path("repository"), "add", "key")
	m.Key = m.path("srv/linked.key")
	if err := os.Symlink("../repository/key", m.Key); err != nil {
		t.Fatal(err)
	}
	m.finds("error key-tracked repository/key")
}

// TestForeignRepository: root has git run by the owner of the repository, and anybody else hears that git does not read it.
func TestForeignRepository(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	m := newHost(t)
	m.git("init", "--quiet", ".")
	m.git("add", "srv/vault.key")
	var all []string
	if err := filepath.WalkDir(m.dir, func(path string, _ os.DirEntry, err error) error { all = append(all, path); return err }); err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		name, err := filepath.Rel(m.dir, path)
		if err != nil {
			t.Fatal(err)
		}
		m.chown(name, stranger, stranger)
	}
	open := t.TempDir()
	testdir.Open(t, open)
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	marker := filepath.Join(open, "ran")
	m.git("-c", "safe.directory=*", "config", "core.fsmonitor", "touch "+marker)
	m.finds("error key-tracked srv/vault.key")
	if _, err := os.Lstat(marker); err == nil {
		t.Error("a program of the repository was run")
	}

	m.chown(".git", vaultOwner, vaultOwner) // a part of it is another's
	m.finds("info git-silent " + m.dir)
}

func TestWithoutGit(t *testing.T) {
	m := newHost(t)
	if err := os.Mkdir(m.path(".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", m.dir)
	found := m.finds("info git-silent " + m.dir)
	if len(found) == 1 && !strings.Contains(found[0].What, "no git in the PATH") {
		t.Errorf("%s", found[0].What)
	}
}
