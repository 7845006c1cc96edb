package render

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/durable"
)

// TestForeignFiles: what was not rendered is neither replaced nor removed, and nothing is changed when it is in the way.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	putFile(t, filepath.Dir(outside), "outside", "precious", 0o600)
	mustRender(t, dir, anywhere, secretMap{"OURS": "1", "LINKED": "2", "sub/X": "3"})
	putFile(t, dir, "FOREIGN", "f", 0o600)
	putFile(t, dir, "SAME", "s", 0o400)
	putFile(t, dir, "OPEN", "o", 0o444)
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "DIR"), 0o755),
		os.Symlink(outside, filepath.Join(dir, "LINK")),
		os.Symlink(filepath.Dir(outside), filepath.Join(dir, "away")),
		os.Remove(filepath.Join(dir, "LINKED")),
		os.Symlink(outside, filepath.Join(dir, "LINKED")), // in the place of a file of ours
		os.RemoveAll(filepath.Join(dir, "sub")),
		os.Symlink(filepath.Dir(outside), filepath.Join(dir, "sub")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := files(t, dir)
	for name, value := range map[string]string{
		"FOREIGN": "x", "OPEN": "o", "DIR": "x", "LINK": "precious", "LINKED": "2", "away/outside": "precious", "sub/X": "3", "FOREIGN/x": "1",
	} {
		_, err := renderTo(t, dir, anywhere, secretMap{"OURS": "new", name: value})
		if !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s in the way: %v", name, err)
		}
		wantFiles(t, dir, before)
	}
	r := mustRender(t, dir, anywhere, secretMap{"SAME": "s"})
	if !slices.Equal(r.Unchanged, []string{"SAME"}) || !slices.Equal(r.Removed, []string{"OURS"}) {
		t.Errorf("%+v", r)
	}
	mustRender(t, dir, anywhere, secretMap{}) // "SAME" served, but is not ours to remove
	delete(before, "OURS")
	wantFiles(t, dir, before)
	if content, err := os.ReadFile(outside); err != nil || string(content) != "precious" {
		t.Errorf("the file outside holds %q (%v)", content, err)
	}
}

// TestForeignManifest: in a directory where all may make files, such as /dev/shm, a manifest that another user planted must not
// have the files of others removed.
func TestForeignManifest(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of another user")
	}
	const stranger = 65534
	dir := t.TempDir()
	for _, err := range []error{os.Chmod(dir, 0o777|os.ModeSticky), os.Mkdir(filepath.Join(dir, "app"), 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	putFile(t, dir, "precious", "p", 0o600)
	putFile(t, dir, "app/precious", "p", 0o600)
	putFile(t, dir, ManifestName, `{"version":1,"files":["precious","app/precious"],"directories":["app"]}`, 0o600)
	manifest := filepath.Join(dir, ManifestName)
	if err := os.Lchown(manifest, stranger, stranger); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	o := anywhere
	for range 2 { // for oneself, and for the stranger
		if _, err := renderTo(t, dir, o, secretMap{"A": "1"}); !errors.Is(err, ErrForeignOwner) || !strings.Contains(err.Error(), manifest) {
			t.Errorf("got %v", err)
		}
		wantFiles(t, dir, before)
		o.Owner = &durable.Owner{UID: stranger, GID: stranger}
	}

	// Nor in a directory of theirs, where there may be some of root's.
	if err := os.Lchown(dir, stranger, stranger); err != nil {
		t.Fatal(err)
	}
	if _, err := renderTo(t, dir, o, secretMap{"A": "1"}); !errors.Is(err, ErrForeignOwner) {
		t.Errorf("got %v", err)
	}
	wantFiles(t, dir, before)
}

// TestForeignSubdirectory: a secret's subdirectory may have been made in advance, by somebody who would exchange the files.
func TestForeignSubdirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of another user")
	}
	dir := t.TempDir()
	sub := filepath.Join(dir, "app")
	for _, err := range []error{os.Mkdir(sub, 0o755), os.Lchown(sub, 65534, 65534)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := files(t, dir)
	if _, err := renderTo(t, dir, anywhere, secretMap{"A": "1", "app/KEY": "k"}); !errors.Is(err, ErrForeignOwner) || !strings.Contains(err.Error(), sub) {
		t.Errorf("got %v", err)
	}
	wantFiles(t, dir, before)
	o := anywhere
	o.Owner = &durable.Owner{UID: 65534, GID: 65534}
	mustRender(t, dir, o, secretMap{"A": "1", "app/KEY": "k"})
}
