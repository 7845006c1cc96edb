package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const (
	appUser  = 2001
	stranger = 2002
)

func mustDo(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// ownLinksOnly accepts links of root's, as a renderer of root's does.
func ownLinksOnly(path string, info fs.FileInfo) error {
	if uid, _, _ := ownerOf(info); uid != 0 {
		return fs.ErrPermission
	}
	return nil
}

// TestTreeFollowsLinksOfItsOwn: the owner of a parent cannot lead root elsewhere by a link, whether the directory is there or not.
func TestTreeFollowsLinksOfItsOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	parent, elsewhere := t.TempDir(), t.TempDir()
	link := filepath.Join(parent, "secrets")
	mustDo(t, os.Symlink(elsewhere, link))
	o := TreeOptions{Create: true, AcceptLink: ownLinksOnly}
	for owner, want := range map[int]error{0: nil, appUser: fs.ErrPermission} {
		mustDo(t, os.Lchown(link, owner, owner))
		for _, path := range []string{link, filepath.Join(link, "new")} {
			tree, _, err := OpenTree(path, o)
			if !errors.Is(err, want) {
				t.Errorf("%s, a link of user %d: %v", path, owner, err)
			}
			if err == nil {
				tree.Close()
			}
		}
		mustDo(t, os.RemoveAll(filepath.Join(elsewhere, "new")))
	}
}

// TestTreeAcceptsParent asks about the directory that holds the name, also where the directory is there.
func TestTreeAcceptsParent(t *testing.T) {
	refused := errors.New("a parent of somebody else's")
	asked := ""
	dir := filepath.Join(t.TempDir(), "d")
	mustDo(t, os.Mkdir(dir, 0o700))
	_, _, err := OpenTree(dir, TreeOptions{AcceptParent: func(parent *os.File) error { asked = parent.Name(); return refused }})
	if !errors.Is(err, refused) || filepath.Clean(asked) != filepath.Dir(dir) {
		t.Errorf("%v, asked about %s", err, asked)
	}
}

// TestTreeReownsWhatItMade: a directory gets another owner only where nobody but this user can have put it there.
func TestTreeReownsWhatItMade(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	app := Access{0o700, &Owner{appUser, appUser}}
	dir := t.TempDir()
	tree, created, err := OpenTree(filepath.Join(dir, "made"), TreeOptions{Create: true, Access: app})
	mustDo(t, err)
	defer tree.Close()
	if info, err := tree.Lstat("."); err != nil || !created || !app.Of(info) {
		t.Fatalf("made with another access: %v, %v", info, err)
	}
	mustDo(t, tree.Mkdir("new", app))
	mustDo(t, os.Mkdir(tree.Path("roots"), 0o700), os.Mkdir(tree.Path("strangers"), 0o700))
	mustDo(t, os.Lchown(tree.Path("strangers"), stranger, stranger))
	for name, want := range map[string]error{".": nil, "new": nil, "roots": ErrForeignOwner, "strangers": ErrForeignOwner} {
		before, err := tree.Lstat(name)
		mustDo(t, err)
		if err := tree.SetAccess(name, app); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		after, err := tree.Lstat(name)
		mustDo(t, err)
		uidBefore, _, _ := ownerOf(before)
		if uid, _, _ := ownerOf(after); want != nil && (uid != uidBefore || after.Mode() != before.Mode()) {
			t.Errorf("%s was changed", name)
		}
	}
	entries, err := os.ReadDir(dir)
	mustDo(t, err)
	if len(entries) != 1 {
		t.Errorf("stray entries: %v", entries)
	}
}
