package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/gitdiff"
	"github.com/mazevault/vault-tool/internal/gitrepo"
	"github.com/mazevault/vault-tool/internal/reserved"
	"github.com/mazevault/vault-tool/vaultfile"
)

type gitSetupOptions struct {
	remove    bool
	preCommit bool
}

type gitSetupSummary struct {
	VaultFile  string   `json:"vault_file"`
	Repository string   `json:"repository"`
	Changed    []string `json:"changed"`
	Hook       string   `json:"hook,omitempty"`
}

// What git-setup changes, as --json tells it.
const (
	changedVault      = "vault"
	changedAttributes = "attributes"
	changedConfig     = "config"
	changedHook       = "hook"
)

// gitDriver is the name under which git knows how to compare and merge vaults.
const gitDriver = "vault-tool"

// gitAttributes are those of a vault. Without -text git might change bytes that look like the end of a line.
const gitAttributes = "diff=" + gitDriver + " merge=" + gitDriver + " -text"

// The settings of a repository.
const (
	textconvSetting  = "diff." + gitDriver + ".textconv"
	nameSetting      = "merge." + gitDriver + ".name"
	driverSetting    = "merge." + gitDriver + ".driver"
	recursiveSetting = "merge." + gitDriver + ".recursive"
)

// newFileMode is that of files that everybody may read.
const newFileMode fs.FileMode = 0o644

func newGitSetupCommand(a *app) *cobra.Command {
	var o gitSetupOptions
	cmd := &cobra.Command{
		Use:   "git-setup",
		Short: "Have git compare and merge the vault",
		Long: `Set up the git repository that the vault is in.

git diff, log -p and show then tell which names changed, each with a short digest of its value. The key of the digests
is random and stands in the vault, so that they tell nobody anything who does not have the vault's key. And git
merges vaults by name: what only one side has changed is taken over, histories are put together, and what both
have changed otherwise is a conflict, which is listed and left for you to resolve. What cannot be opened, also not with an old
key beside the present one (KEY.old), is shown as that and never merged.

A line in .gitattributes says so to everybody who uses the repository; commit it, and the vault. Settings of this clone
say which program and key to use: each clone runs git-setup once. --remove takes both away again; the key of the
digests stays in the vault, for the other clones.

With --pre-commit a hook also refuses commits with key files, with values of the vault, and with .env files that
set names of the vault. A hook that is there already is left as it is.`,
		Example: `  vault-tool git-setup
  vault-tool git-setup --pre-commit
  vault-tool git-setup --remove`,
		Args: noArgumentsBut("the vault is given with --vault-file"),
	}
	cmd.RunE = a.action(func(ctx context.Context, _ []string) error { return a.runGitSetup(ctx, o) })
	cmd.Flags().BoolVar(&o.remove, "remove", false, "take away what git-setup has made; with --pre-commit only the hook")
	cmd.Flags().BoolVar(&o.preCommit, "pre-commit", false, "also a hook that keeps secrets out of commits")
	a.addKeyFiles(cmd)
	return cmd
}

// gitSetup is one run of the command.
type gitSetup struct {
	*app
	options gitSetupOptions
	repo    *gitrepo.Repo
	path    string // the vault's in the repository
	summary gitSetupSummary
}

func (a *app) runGitSetup(ctx context.Context, o gitSetupOptions) error {
	repo, path, err := gitrepo.Find(ctx, a.vaultPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return a.nameDefaults(fmt.Errorf("%w: %s", vaultfile.ErrNotExist, a.vaultPath()))
	case errors.Is(err, gitrepo.ErrNone):
		return &failure{code: exitNotFound, err: err, hint: "run it for a vault in a repository, or make one with: git init"}
	case errors.Is(err, gitrepo.ErrNoGit):
		return &failure{code: exitNotFound, err: err, hint: "install git"}
	case err != nil:
		return err
	}
	g := &gitSetup{app: a, options: o, repo: repo, path: path}
	g.summary = gitSetupSummary{VaultFile: a.vaultPath(), Repository: repo.Top, Changed: []string{}}
	if o.remove {
		err = g.remove(ctx)
	} else {
		err = g.install(ctx)
	}
	if err != nil {
		return err
	}
	return g.tell()
}

func (g *gitSetup) changed(what string, is bool) {
	if is {
		g.summary.Changed = append(g.summary.Changed, what)
	}
}

// install sets up what is missing. What may refuse comes first.
func (g *gitSetup) install(ctx context.Context) error {
	settings, err := g.settings()
	if err != nil {
		return err
	}
	if err := g.keepOthers(ctx, settings[0][1]); err != nil {
		return err
	}
	var hook, hookText string
	if g.options.preCommit {
		if hook, hookText, err = g.checkHook(ctx); err != nil {
			return err
		}
	}
	made, err := g.makeKey(ctx)
	if err != nil {
		return err
	}
	g.changed(changedVault, made)
	if err := g.editAttributes(gitrepo.AddLine); err != nil {
		return err
	}
	changed, err := g.repo.Set(ctx, settings)
	if err != nil {
		return err
	}
	g.changed(changedConfig, changed)
	if g.options.preCommit {
		if err := g.writeHook(hook, hookText); err != nil {
			return err
		}
	}
	return g.checkAttributes(ctx)
}

func (g *gitSetup) remove(ctx context.Context) error {
	if err := g.removeHook(ctx); err != nil || g.options.preCommit {
		return err
	}
	if err := g.editAttributes(gitrepo.RemoveLine); err != nil {
		return err
	}
	if others, err := g.servesOthers(); err != nil || others {
		return err // the settings are theirs as well
	}
	changed, err := g.repo.Unset(ctx, textconvSetting, nameSetting, driverSetting, recursiveSetting)
	g.changed(changedConfig, changed)
	return err
}

// servesOthers tells whether other vaults of the repository go by the settings of this clone.
func (g *gitSetup) servesOthers() (bool, error) {
	text, err := os.ReadFile(filepath.Join(g.repo.Top, gitrepo.AttributesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	rest, _ := gitrepo.RemoveLine(text, gitrepo.AttributeLine(g.path, gitAttributes))
	return strings.Contains(string(rest), " "+gitAttributes), err
}

// keepOthers refuses settings without a key that other vaults of the repository need: a clone has one set for all of them.
func (g *gitSetup) keepOthers(ctx context.Context, textconv string) error {
	others, err := g.servesOthers()
	if err != nil || !others {
		return err
	}
	present, err := g.repo.Setting(ctx, textconvSetting)
	if err != nil {
		return err
	}
	_, keys, _ := strings.Cut(present, " textconv")
	for key := range strings.SplitSeq(keys, " --key-file ") {
		if key = strings.TrimSpace(key); key != "" && !strings.Contains(textconv+" ", " "+key+" ") {
			return conflict("give the keys of all of them: vault-tool git-setup --key-file "+shellWord(g.keyPath())+" --key-file "+key,
				"other vaults of this repository need the key %s, and this clone has one setting for all", key)
		}
	}
	return nil
}

// settings are those of the repository: what git is to run.
func (g *gitSetup) settings() ([][2]string, error) {
	program, err := programPath()
	if err != nil {
		return nil, err
	}
	program = shellWord(program)
	keys, err := g.keyOptions()
	if err != nil {
		return nil, err
	}
	return [][2]string{
		{textconvSetting, program + " git textconv" + keys},
		{nameSetting, "secrets, by name"},
		{driverSetting, strings.ReplaceAll(program+" git merge"+keys, "%", "%%") + " %O %A %B %P"},
		{recursiveSetting, "binary"}, // where there are several common versions git takes the earlier one: more is left to decide, nothing decided wrongly
	}, nil
}

// programPath is this program's, as it was called where that is still the same file: a link to it survives an update.
func programPath() (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", err
	}
	called, err := exec.LookPath(os.Args[0])
	if err == nil {
		called, err = filepath.Abs(called)
	}
	if err != nil || !sameFile(called, own) {
		return own, nil
	}
	return called, nil
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// keyOptions say which keys git is to use, by absolute paths: git may run the program anywhere.
func (g *gitSetup) keyOptions() (options string, err error) {
	if url := g.azureURL(); url != "" {
		return " --akv-url " + shellWord(url) + " --akv-secret " + shellWord(g.azureSecret()), nil
	}
	for _, key := range append([]string{g.keyPath()}, g.moreKeys...) {
		info, err := os.Stat(key)
		if descriptor.Named(key) || err == nil && !info.Mode().IsRegular() {
			return "", badInput("give the path of the file with the key", "%s is no file that git could use later", key)
		}
		path, err := filepath.Abs(key)
		if err != nil {
			return "", err
		}
		options += " --key-file " + shellWord(path)
	}
	return options, nil
}

// makeKey makes the key of the digests, if the vault has none.
func (g *gitSetup) makeKey(ctx context.Context) (made bool, err error) {
	err = leftUnchanged(g.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		o := vaultfile.UpdateOptions{WriteOptions: g.writeOptions("git-setup")}
		_, err := vaultfile.Update(ctx, g.vaultPath(), u, o, func(d *vaultfile.Draft) error {
			err := d.UseReserved(reserved.GitKey, func([]byte) error { return nil })
			if err == nil {
				return nil
			}
			made = true
			return d.SetReserved(reserved.GitKey, gitdiff.NewKey())
		})
		return err
	}))
	return made, err
}

// editAttributes adds the vault's line to .gitattributes, or removes it. A file that is empty then goes.
func (g *gitSetup) editAttributes(edit func(text []byte, line string) ([]byte, bool)) error {
	path := filepath.Join(g.repo.Top, gitrepo.AttributesFile)
	text, err := os.ReadFile(path)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err != nil && !isNew {
		return err
	}
	text, changed := edit(text, gitrepo.AttributeLine(g.path, gitAttributes))
	g.changed(changedAttributes, changed)
	switch {
	case !changed:
		return nil
	case isNew:
		return durable.Create(path, text, durable.CreateOptions{Mode: newFileMode})
	case len(text) == 0:
		return os.Remove(path)
	}
	return durable.Replace(path, text, durable.ReplaceOptions{})
}

// checkAttributes warns where another line undoes the one that git-setup has written.
func (g *gitSetup) checkAttributes(ctx context.Context) error {
	for _, name := range []string{"diff", "merge"} {
		value, err := g.repo.Attribute(ctx, name, g.path)
		if err != nil {
			return err
		}
		if value != gitDriver {
			g.warn("git takes the attribute %s of %s to be %q: look for another line about it in .gitattributes and .git/info/attributes", name, g.path, value)
		}
	}
	return nil
}

func (g *gitSetup) tell() error {
	s := g.summary
	if g.json {
		return g.printJSON(s)
	}
	if len(s.Changed) == 0 {
		g.note("nothing to do in %s", s.Repository)
		return nil
	}
	for _, line := range []struct{ what, made, removed string }{
		{changedVault, "the key of the digests was put into " + s.VaultFile + "; commit it", ""},
		{changedAttributes, ".gitattributes has a line for " + g.path + "; commit it", "the line for " + g.path + " is gone from .gitattributes"},
		{changedHook, "commits are looked at by " + s.Hook, "the hook is gone: " + s.Hook},
		{changedConfig, "this clone knows how to compare and merge vaults; others run git-setup too", "the settings are gone from this clone"},
	} {
		switch {
		case !slices.Contains(s.Changed, line.what):
		case g.options.remove:
			g.note("%s", line.removed)
		default:
			g.note("%s", line.made)
		}
	}
	return nil
}
