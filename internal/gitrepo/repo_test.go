package gitrepo

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// newRepo makes a repository, whatever the user's settings are.
func newRepo(t *testing.T) *Repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &Repo{Top: dir}
	if _, err := r.run(t.Context(), "init", "-q"); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFind(t *testing.T) {
	r := newRepo(t)
	if err := os.MkdirAll(filepath.Join(r.Top, "a", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_DIR", "/nowhere") // as in a hook of another repository
	for file, want := range map[string]string{"x": "x", "a/b/x": "a/b/x", "a/../x": "x"} {
		got, path, err := Find(t.Context(), filepath.Join(r.Top, file))
		if err != nil || path != want || got.Top != r.Top {
			t.Errorf("%s: %+v, %q, %v", file, got, path, err)
		}
	}
	if err := os.Symlink(filepath.Join(r.Top, "a"), filepath.Join(r.Top, "link")); err != nil {
		t.Fatal(err)
	}
	if _, path, err := Find(t.Context(), filepath.Join(r.Top, "link", "x")); err != nil || path != "a/x" {
		t.Errorf("%q, %v", path, err)
	}
	if _, _, err := Find(t.Context(), filepath.Join(t.TempDir(), "x")); !errors.Is(err, ErrNone) {
		t.Errorf("outside: %v", err)
	}
	if _, _, err := Find(t.Context(), filepath.Join(r.Top, "none", "x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, _, err := Find(t.Context(), filepath.Join(r.Top, "x")); !errors.Is(err, ErrNoGit) {
		t.Errorf("without git: %v", err)
	}
}

func TestSettings(t *testing.T) {
	r := newRepo(t)
	ctx := t.Context()
	config := filepath.Join(r.Top, ".git", "config")
	before, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	settings := [][2]string{{"diff.x.textconv", `'a b' %O "c"`}, {"merge.x.name", "n"}}
	for _, want := range []bool{true, false} {
		if changed, err := r.Set(ctx, settings); err != nil || changed != want {
			t.Errorf("changed %v, %v", changed, err)
		}
	}
	if got, err := r.Setting(ctx, "diff.x.textconv"); err != nil || got != settings[0][1] {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := r.OwnSetting(ctx, "diff.y.textconv"); err != nil || got != "" {
		t.Errorf("%q, %v", got, err)
	}
	for _, want := range []bool{true, false} {
		if changed, err := r.Unset(ctx, "diff.x.textconv", "merge.x.name"); err != nil || changed != want {
			t.Errorf("changed %v, %v", changed, err)
		}
	}
	if after, err := os.ReadFile(config); err != nil || string(after) != string(before) {
		t.Errorf("%q became %q, %v", before, after, err)
	}
	if _, err := r.Set(ctx, [][2]string{{"nonsense", "x"}}); err == nil {
		t.Error("a key that there cannot be was set")
	}
}

func TestAttribute(t *testing.T) {
	r := newRepo(t)
	for _, path := range []string{"secrets.vault", "a b/c*[d]?.vault", `q"\.vault`, "täg.vault", "#x.vault", "!x.vault"} {
		text, _ := AddLine(nil, AttributeLine(path, "diff=x -text"))
		if err := os.WriteFile(filepath.Join(r.Top, AttributesFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Attribute(t.Context(), "diff", path); err != nil || got != "x" {
			t.Errorf("git reads %q of %s as %q, %v", text, path, got, err)
		}
		if got, err := r.Attribute(t.Context(), "diff", "other/"+path); err != nil || got != "unspecified" {
			t.Errorf("%q is of a file elsewhere too: %q, %v", text, got, err)
		}
	}
}

func TestHook(t *testing.T) {
	r := newRepo(t)
	if got, err := r.Hook(t.Context(), "pre-commit"); err != nil || got != filepath.Join(r.Top, ".git", "hooks", "pre-commit") {
		t.Errorf("%q, %v", got, err)
	}
}
