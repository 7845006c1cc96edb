package gitrepo

import (
	"context"
	"path/filepath"
	"strings"
)

// HooksPath is the setting that has git take hooks from elsewhere.
const HooksPath = "core.hooksPath"

// Hook is where the working tree has the hook of that name. Worktrees share theirs, and a submodule's are in the repository around it.
func (r *Repo) Hook(ctx context.Context, name string) (string, error) {
	out, err := r.run(ctx, "rev-parse", "--git-path", "hooks/"+name)
	if err != nil {
		return "", err
	}
	path := filepath.FromSlash(strings.TrimSuffix(out, "\n"))
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.Top, path)
	}
	return path, nil
}
