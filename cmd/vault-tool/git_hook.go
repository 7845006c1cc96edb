package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/gitrepo"
)

const preCommitHook = "pre-commit"

// hookMark tells the hook that git-setup has made from all others.
const hookMark = "# Made by vault-tool git-setup --pre-commit, and taken away by vault-tool git-setup --remove."

// hookMode is that of a file that git runs.
const hookMode fs.FileMode = 0o755

// hookCommand is what a hook has to run. Git does that at the top of the working tree.
func (g *gitSetup) hookCommand() (string, error) {
	program, err := programPath()
	if err != nil {
		return "", err
	}
	keys, err := g.keyOptions()
	return shellWord(program) + " git " + preCommitHook + " --vault-file " + shellWord(g.path) + keys, err
}

// checkHook finds the place of the hook, and refuses to touch what others have made.
func (g *gitSetup) checkHook(ctx context.Context) (path, text string, err error) {
	command, err := g.hookCommand()
	if err != nil {
		return "", "", err
	}
	elsewhere, err := g.repo.Setting(ctx, gitrepo.HooksPath)
	if err != nil {
		return "", "", err
	}
	if path, err = g.repo.Hook(ctx, preCommitHook); err != nil {
		return "", "", err
	}
	add := "add this line to it: " + command + " || exit"
	if elsewhere != "" {
		return "", "", conflict("hooks there are not git-setup's to make; where "+path+" is a shell script, "+add, "%s is set, to %s", gitrepo.HooksPath, elsewhere)
	}
	if old, err := os.ReadFile(path); err == nil && !isOurHook(old) {
		return "", "", existsAlready("it is left as it is; where it is a shell script, "+add, "there is a hook already: %s", path)
	} else if err == nil && !g.guards(old) {
		return "", "", existsAlready("it is left as it is; put this line in front of its last: "+command+" || exit", "the hook %s guards another vault", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	return path, "#!/bin/sh\n" + hookMark + "\nexec " + command + "\n", nil
}

func isOurHook(text []byte) bool { return strings.Contains(string(text), "\n"+hookMark+"\n") }

// guards tells whether a hook is for this vault.
func (g *gitSetup) guards(hook []byte) bool {
	return strings.Contains(string(hook), " --vault-file "+shellWord(g.path)+" ")
}

// writeHook makes the hook, or makes it anew.
func (g *gitSetup) writeHook(path, text string) error {
	g.summary.Hook = path
	old, err := os.ReadFile(path)
	switch {
	case err == nil && string(old) == text:
		return nil
	case err == nil:
		err = durable.Replace(path, []byte(text), durable.ReplaceOptions{})
	default:
		if err = os.MkdirAll(filepath.Dir(path), 0o777); err == nil { // which a repository without a template lacks; the umask decides
			err = durable.Create(path, []byte(text), durable.CreateOptions{Mode: hookMode})
		}
	}
	g.changed(changedHook, err == nil)
	return err
}

// removeHook removes the hook, if it is ours.
func (g *gitSetup) removeHook(ctx context.Context) error {
	path, err := g.repo.Hook(ctx, preCommitHook)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (!isOurHook(text) || !g.guards(text)) {
		return nil
	}
	if err == nil {
		err = os.Remove(path)
	}
	g.summary.Hook = path
	g.changed(changedHook, err == nil)
	return err
}
