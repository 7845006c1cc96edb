package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const appUser = 2001

// TestRenderAsRootInHostilePlaces has root render where another user owns a part of the way: nothing of root's or of others is
// removed, re-owned or written to.
func TestRenderAsRootInHostilePlaces(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving files away takes root")
	}
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		plant func(f *folder)
		code  int
		text  string
	}{
		{"a link of the app's to an empty directory of root's", func(f *folder) {
			must(os.Mkdir(f.path("app"), 0o755))
			must(os.Mkdir(f.path("victim"), 0o700))
			must(os.Symlink(f.path("victim"), f.path("app/secrets")))
			must(os.Lchown(f.path("app/secrets"), appUser, appUser))
			must(os.Lchown(f.path("app"), appUser, appUser))
		}, exitInsecure, "belongs to another user"},
		{"a directory open to all", func(f *folder) {
			must(os.Mkdir(f.path("app"), 0o755))
			must(os.Mkdir(f.path("app/secrets"), 0o777))
			must(os.Chmod(f.path("app/secrets"), 0o777))
			f.write("app/secrets/own", "x", 0o600)
		}, exitInsecure, "every user may exchange files"},
		{"a parent of a stranger", func(f *folder) {
			must(os.MkdirAll(f.path("app/secrets"), 0o755))
			must(os.Lchown(f.path("app"), 2002, 2002))
		}, exitInsecure, "belongs to another user"},
		{"a manifest of the app's", func(f *folder) {
			must(os.MkdirAll(f.path("app/secrets/priv"), 0o755))
			must(os.Chmod(f.path("app/secrets/priv"), 0o700))
			f.write("app/secrets/priv/keep", "root's", 0o600)
			f.write("app/secrets/.vault-tool-render.json", `{"version":1,"files":["priv/keep"],"directories":["priv"]}`, 0o600)
			must(os.Lchown(f.path("app/secrets/.vault-tool-render.json"), appUser, appUser))
			must(os.Lchown(f.path("app/secrets"), appUser, appUser))
		}, exitInsecure, "belongs to another user"},
		{"a directory of root's under the name of one that was rendered", func(f *folder) {
			must(os.Mkdir(f.path("app"), 0o755))
			f.mustRun("", "render", "--allow-disk", "--dir", "app/secrets", "--owner", "2001:2001")
			must(os.Mkdir(f.path("app/secrets/roots"), 0o700))
			f.write("app/secrets/roots/keep", "root's", 0o600)
			must(os.Rename(f.path("app/secrets/priv"), f.path("app/secrets/away")))
			must(os.Rename(f.path("app/secrets/roots"), f.path("app/secrets/priv")))
		}, exitInsecure, "than the directory that it is in"},
		{"a directory of root's under the name of one that a secret has left", func(f *folder) {
			must(os.Mkdir(f.path("app"), 0o755))
			f.mustRun("", "render", "--allow-disk", "--dir", "app/secrets", "--owner", "2001:2001")
			must(os.Mkdir(f.path("app/secrets/roots"), 0o700))
			f.write("app/secrets/roots/x", "root's", 0o600)
			must(os.Rename(f.path("app/secrets/priv"), f.path("app/secrets/away")))
			must(os.Rename(f.path("app/secrets/roots"), f.path("app/secrets/priv")))
			f.mustRun("", "rm", "--name", "priv/x")
		}, exitInsecure, "than the directory that it is in"},
		{"a directory of root's in a directory of the app's", func(f *folder) {
			must(os.MkdirAll(f.path("app/secrets"), 0o700))
			must(os.Lchown(f.path("app"), appUser, appUser))
		}, exitInsecure, "than the directory that it is in"},
	}
	start := newVault(t, true, map[string]string{"A": "1", "priv/x": "s"})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := start.copyOf(t)
			tt.plant(f)
			before := treeOf(f)
			f.wantFailure(tt.code, []string{tt.text}, "", "render", "--allow-disk", "--dir", "app/secrets", "--owner", "2001:2001")
			after := treeOf(f)
			for path, state := range before {
				if after[path] != state {
					t.Errorf("%s was %q and is %q", path, state, after[path])
				}
			}
		})
	}
}

// treeOf returns owner, mode and content of all below app and victim, the account of the rendering apart.
func treeOf(f *folder) map[string]string {
	f.t.Helper()
	states := make(map[string]string)
	for _, top := range []string{"app", "victim"} {
		err := filepath.WalkDir(f.path(top), func(path string, entry os.DirEntry, err error) error {
			if os.IsNotExist(err) || strings.HasPrefix(filepath.Base(path), ".vault-tool-render.json") && err == nil {
				return nil
			}
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			state := fmt.Sprint(info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
			if info.Mode().IsRegular() {
				content, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				state += string(content)
			}
			states[path] = state
			return nil
		})
		if err != nil {
			f.t.Fatal(err)
		}
	}
	return states
}

// TestRenderIntoClosedDirectory: a directory of root's stays root's, and that nobody else can read the files there is told.
func TestRenderIntoClosedDirectory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving files away takes root")
	}
	t.Parallel()
	f := newVault(t, true, map[string]string{"A": "1"})
	for _, tt := range []struct {
		mode   os.FileMode
		closed bool
	}{{0o700, true}, {0o711, false}, {0o710, false}} {
		dir := fmt.Sprintf("d%o", tt.mode)
		if err := os.Mkdir(f.path(dir), tt.mode); err != nil {
			t.Fatal(err)
		}
		for _, target := range []string{dir, dir + "/made"} {
			r := f.run("", "render", "--allow-disk", "--dir", target, "--owner", "2001:2001")
			if got := strings.Contains(r.stderr, "cannot enter "+target); r.code != exitOK || got != (tt.closed && target == dir) {
				t.Errorf("%s: %s", target, r.stderr)
			}
		}
		if info, err := os.Stat(f.path(dir)); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 || info.Mode().Perm() != tt.mode {
			t.Errorf("%v, %v", info, err)
		}
	}
}
