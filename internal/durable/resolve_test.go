package durable

import (
	"fmt"
	"path/filepath"
	"testing"
)

func TestResolve(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(root, name) }
	putFile(t, at("file"), "", 0o600)
	symlink(t, "file", at("link"))
	symlink(t, "link", at("chain"))
	symlink(t, "missing", at("dangling"))
	symlink(t, "none/missing", at("lost"))
	symlink(t, "b", at("a"))
	symlink(t, "a", at("b"))
	symlink(t, root, at("here"))
	symlink(t, "here/./here/file", at("roundabout"))
	for i := range maxLinks {
		target := fmt.Sprint("long", i-1)
		if i == 0 {
			target = "file"
		}
		symlink(t, target, at(fmt.Sprint("long", i)))
	}
	for _, test := range []struct{ path, want string }{
		{at("file"), at("file")},
		{at("missing"), at("missing")},
		{at("link"), at("file")},
		{at("chain"), at("file")},
		{at("dangling"), at("missing")},
		{at("roundabout"), at("file")},
		{at("here") + "/file", at("here") + "/file"}, // a link among the directories is the kernel's business
		{at("here") + "/link", at("file")},
		{at(fmt.Sprint("long", maxLinks-1)), at("file")},
		{at("a"), ""},
		{at("lost"), ""},
	} {
		got, err := Resolve(test.path)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("Resolve(%s) = %q, %v; want %q", test.path, got, err, test.want)
		}
	}
	t.Chdir(root)
	for _, test := range []struct{ path, want string }{{"file", "file"}, {"link", "file"}, {"./chain", "file"}} {
		if got, err := Resolve(test.path); got != test.want || err != nil {
			t.Errorf("Resolve(%s) = %q, %v; want %q", test.path, got, err, test.want)
		}
	}
}
