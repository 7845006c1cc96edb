package checkup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/beside"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/shellword"
)

// gitPatience is how long git may take for all that it is asked.
const gitPatience = 5 * time.Second

// keyInRepository asks git whether a key is, was, or may become a part of the work tree that it stands in.
func keyInRepository(ctx context.Context, h *Host) []finding.Finding {
	if _, ok := regular(h.Key); !ok {
		return nil
	}
	dir, name := realPath(h.Key) // git knows the file itself, whatever links lead to it
	root := workTree(dir)
	if root == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	names := []string{name}
	for _, f := range h.beside() {
		if f.Kind != beside.NewKey && f.Kind != beside.OldKey {
			continue
		}
		if otherDir, other := realPath(f.Path); otherDir == dir {
			names = append(names, other)
		}
	}
	g := repository{dir: dir, root: root, names: names, host: h}
	found, err := g.examine(ctx)
	if err != nil {
		found = append(found, finding.Finding{
			Severity: finding.Info, Check: "git-silent", Where: []string{root},
			What: "the key stands in a git repository, and git does not tell what it does with it: " + err.Error(),
		})
	}
	return found
}

// realPath is the true directory of a file, and its name there.
func realPath(path string) (dir, name string) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return filepath.Dir(path), filepath.Base(path)
}

// workTree is the directory above dir that has a .git, or "".
func workTree(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// repository is the one around the key, and the names of the keys in their directory.
type repository struct {
	dir, root string
	names     []string
	host      *Host
}

func (g repository) examine(ctx context.Context) ([]finding.Finding, error) {
	tracked, err := g.git(ctx, slices.Concat([]string{"--literal-pathspecs", "ls-files", "-z", "--"}, g.names)...)
	if err != nil {
		return nil, err
	}
	var found []finding.Finding
	isTracked := strings.FieldsFunc(string(tracked), func(r rune) bool { return r == 0 })
	for _, name := range isTracked {
		found = append(found, finding.Finding{
			Severity: finding.Error, Check: "key-tracked", Insecure: true, Where: []string{filepath.Join(g.dir, name)},
			What: "git tracks the key: everybody with the repository has it; take it out, and change it with rotate-key, for it stays in the history",
			Mend: "git -C " + shellword.Path(g.dir) + " rm --cached -- " + shellword.Quote(name) + " && " + g.host.Tool("rotate-key --in-place"),
		})
	}
	for _, name := range g.names {
		if slices.Contains(isTracked, name) {
			continue
		}
		f, err := g.untracked(ctx, name)
		if err != nil {
			return found, err
		}
		found = append(found, f...)
	}
	return found, nil
}

// untracked is about a key that the next commit does not have by itself.
func (g repository) untracked(ctx context.Context, name string) ([]finding.Finding, error) {
	where := []string{filepath.Join(g.dir, name)}
	var found []finding.Finding
	commit, err := g.git(ctx, "--literal-pathspecs", "log", "--all", "--max-count=1", "--format=%h", "--", name)
	if err == nil && len(bytes.TrimSpace(commit)) > 0 {
		found = append(found, g.inHistory(ctx, name, string(bytes.TrimSpace(commit)), where))
	}
	_, err = g.git(ctx, "check-ignore", "--quiet", "--", "./"+name)
	var exit *gitExit
	if err == nil {
		return found, nil // it is ignored
	}
	if !errors.As(err, &exit) || exit.code != 1 {
		return found, err
	}
	what := "the key stands in a git repository and is not ignored: the next `git add .` takes it in"
	vaultDir, _ := realPath(g.host.Vault)
	if _, ok := regular(g.host.Vault); ok && workTree(vaultDir) == g.root {
		what += ", beside the vault that it opens"
	}
	return append(found, finding.Finding{
		Severity: finding.Warn, Check: "key-not-ignored", Insecure: true, Where: where, What: what,
		Mend: "echo " + shellword.Quote("/"+name) + " >> " + shellword.Path(filepath.Join(g.dir, ".gitignore")),
	}), nil
}

// inHistory is about a key whose name is in the history. The key itself is not, if git has no object of its content: then it has been changed since.
func (g repository) inHistory(ctx context.Context, name, commit string, where []string) finding.Finding {
	object, err := g.git(ctx, "hash-object", "--no-filters", "--", "./"+name)
	if err == nil {
		_, err = g.git(ctx, "cat-file", "-e", string(bytes.TrimSpace(object)))
		var exit *gitExit
		if errors.As(err, &exit) && exit.code == 1 {
			return finding.Finding{
				Severity: finding.Info, Check: "key-in-history", Where: where,
				What: fmt.Sprintf("the history of git has an earlier key of that name (%s): who has the repository can open backups that are under it", commit),
			}
		}
	}
	return finding.Finding{
		Severity: finding.Error, Check: "key-in-history", Insecure: true, Where: where,
		What: fmt.Sprintf("git does not track the key any more, but its history has one of that name (%s): if it is this one, change it", commit),
		Mend: g.host.Tool("rotate-key --in-place"),
	}
}

// gitExit is that git ended with another code than 0.
type gitExit struct {
	code int
	says string
}

func (e *gitExit) Error() string {
	if e.says == "" {
		return fmt.Sprintf("git ended with %d", e.code)
	}
	return e.says
}

// git runs git for the work tree, without the programs by which a repository has others run, and without a network, over which one that was
// cloned in part gets the rest. Git reads no repository of another user, who could
// name more of them in its configuration; root, whom all have to ask, has git run as the owner, with his rights.
func (g repository) git(ctx context.Context, arguments ...string) ([]byte, error) {
	quiet := []string{"-C", g.dir, "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "-c", "log.showSignature=false", "-c", "protocol.allow=never"}
	cmd := exec.CommandContext(ctx, "git", append(quiet, arguments...)...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") }), "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	runAsOwner(cmd, filepath.Join(g.root, ".git"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &exit):
		says, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		return nil, &gitExit{exit.ExitCode(), says}
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("there is no git in the PATH")
	}
	return stdout.Bytes(), err
}
