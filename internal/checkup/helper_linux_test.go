package checkup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/testdir"
)

const (
	vaultOwner = 2001
	stranger   = 2002
)

// made is a made-up host: a vault and its key in a directory, and no more of the kernel's files than a test gives it.
type made struct {
	*Host
	t   *testing.T
	dir string // with /srv for the vault, and the root of the kernel's files
}

func newHost(t *testing.T) *made {
	t.Helper()
	dir := t.TempDir()
	testdir.Open(t, dir)
	m := &made{t: t, dir: dir, Host: &Host{
		Vault: filepath.Join(dir, "srv", "secrets.vault"), Key: filepath.Join(dir, "srv", "vault.key"),
		Tool:   func(arguments string) string { return "vault-tool " + arguments },
		Caller: uint32(os.Geteuid()), Parent: 7, Getenv: func(string) string { return "" }, Directory: dir,
		Root: os.DirFS(dir), CanLock: func(int) error { return nil },
	}}
	if err := os.Mkdir(filepath.Join(dir, "srv"), 0o700); err != nil {
		t.Fatal(err)
	}
	m.write("srv/secrets.vault", "a vault", 0o600)
	m.write("srv/vault.key", "a key", 0o400)
	return m
}

func (m *made) path(name string) string { return filepath.Join(m.dir, name) }

func (m *made) write(name, content string, mode os.FileMode) {
	m.t.Helper()
	path := m.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	_ = os.Remove(path) // a key cannot be written to
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		m.t.Fatal(err)
	}
	m.chmod(name, mode)
}

func (m *made) chmod(name string, mode os.FileMode) {
	m.t.Helper()
	if err := os.Chmod(m.path(name), mode); err != nil {
		m.t.Fatal(err)
	}
}

func (m *made) chown(name string, uid, gid int) {
	m.t.Helper()
	if os.Geteuid() != 0 {
		m.t.Skip("only root gives files away")
	}
	if err := os.Lchown(m.path(name), uid, gid); err != nil {
		m.t.Fatal(err)
	}
}

// finds demands these findings, "severity check" and the names of where, and no others. What is found of directories above the host's is
// the test machine's.
func (m *made) finds(want ...string) []finding.Finding {
	m.t.Helper()
	var got []string
	var found []finding.Finding
	for _, f := range m.Examine(context.Background()) {
		var where []string
		for _, w := range f.Where {
			if strings.HasPrefix(m.dir, w) && w != m.dir {
				continue
			}
			if rest, ok := strings.CutPrefix(w, m.dir+"/"); ok {
				w = rest
			}
			where = append(where, w)
		}
		if len(where) == 0 {
			continue
		}
		if f.What == "" {
			m.t.Errorf("a finding says nothing: %+v", f)
		}
		got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.Check, strings.Join(where, " ")))
		found = append(found, f)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		m.t.Errorf("found\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	return found
}

// mends demands the command of the only finding.
func (m *made) mends(found []finding.Finding, want string, insecure bool) {
	m.t.Helper()
	want = strings.ReplaceAll(want, "DIR", m.dir)
	if len(found) != 1 || found[0].Mend != want || found[0].Insecure != insecure {
		m.t.Errorf("found %+v, want one with %q", found, want)
	}
}

var errNoLock = errors.New("cannot allocate memory")
