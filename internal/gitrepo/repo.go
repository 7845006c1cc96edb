// Package gitrepo sets up a git repository: its attributes, its settings and its hooks. It works through the git program, which alone knows where
// these are in worktrees and submodules.
package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Errors that callers tell apart.
var (
	ErrNoGit = errors.New("git is not installed")
	ErrNone  = errors.New("not in a git repository with a working tree")
)

// Repo is a working tree of a repository.
type Repo struct {
	Top string // the directory of the working tree
}

// Find returns the working tree that a file is in, and the file's path in it, with slashes. Symbolic links that lead to the file are followed: git knows
// the file itself.
func Find(ctx context.Context, file string) (r *Repo, path string, err error) {
	real, err := filepath.EvalSymlinks(file)
	if errors.Is(err, fs.ErrNotExist) {
		if real, err = filepath.EvalSymlinks(filepath.Dir(file)); err == nil {
			real = filepath.Join(real, filepath.Base(file))
		}
	}
	if err != nil {
		return nil, "", err
	}
	dir, base := filepath.Split(real)
	r = &Repo{Top: filepath.Clean(dir)}
	if dir == "" {
		r.Top = "."
	}
	out, err := r.run(ctx, "rev-parse", "--show-toplevel", "--show-prefix")
	switch {
	case errors.Is(err, ErrNoGit):
		return nil, "", err
	case err != nil:
		return nil, "", fmt.Errorf("%s: %w: %w", file, ErrNone, err)
	}
	top, prefix, _ := strings.Cut(strings.TrimSuffix(out, "\n"), "\n")
	if top == "" {
		return nil, "", fmt.Errorf("%s: %w", file, ErrNone)
	}
	return &Repo{Top: filepath.FromSlash(top)}, strings.TrimSuffix(prefix, "\n") + base, nil
}

// run runs git in the working tree and returns what it prints. What the environment says of another repository does not count.
func (r *Repo) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.Top
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES":
		default:
			cmd.Env = append(cmd.Env, variable)
		}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", ErrNoGit
	}
	if err != nil {
		return "", &Error{Args: args, Text: strings.TrimSpace(stderr.String()), cause: err}
	}
	return stdout.String(), nil
}

// Error is a run of git that failed.
type Error struct {
	Args  []string
	Text  string // what git said
	cause error
}

func (e *Error) Error() string {
	text := e.Text
	if text == "" {
		text = e.cause.Error()
	}
	return "git " + e.Args[0] + ": " + text
}

// Unwrap returns how the process ended.
func (e *Error) Unwrap() error { return e.cause }

// exitCode is git's, or -1.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}
