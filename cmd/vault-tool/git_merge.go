package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/vaultfile"
)

func newGitMergeCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge BASE OURS THEIRS PATH",
		Short: "Merge three versions of a vault, into that of OURS",
		Args:  argumentsOf("BASE", "OURS", "THEIRS", "PATH"),
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error {
		g := gitMerge{app: a, base: args[0], ours: args[1], theirs: args[2], path: args[3]}
		sweepMerges(filepath.Dir(g.ours))
		a.addOldKeys(cmd)
		return g.unmerged(a.withKeys(ctx, func(keys *keyring.Keyring) error { return g.run(ctx, keys) }))
	})
	a.addKeyFiles(cmd)
	return cmd
}

// gitMerge is one merge. The files are git's, made for it; path is where the vault is in the repository.
type gitMerge struct {
	*app
	base, ours, theirs, path string
}

func (g gitMerge) run(ctx context.Context, keys *keyring.Keyring) error {
	base, err := g.openBase(ctx, keys)
	if err != nil {
		return fmt.Errorf("the common version: %w", err)
	}
	defer base.Close()
	theirs, theirKey, err := keys.OpenHistory(ctx, g.theirs)
	if err != nil {
		return fmt.Errorf("the version of theirs: %w", err)
	}
	defer theirs.Close()
	ours, ourKey, err := keys.Open(ctx, g.ours) // to find the key
	if err != nil {
		return fmt.Errorf("the version of ours: %w", err)
	}
	ours.Close()
	pause("open")
	side := vaultfile.MergeSide{Vault: theirs, Unlocker: keys.Key(theirKey).Unlocker}
	m, err := vaultfile.Merge(ctx, g.ours, keys.Key(ourKey).Unlocker, base, side, g.writeOptions("merge"))
	if err != nil {
		return leftUnchanged(err)
	}
	return g.tell(m, theirs)
}

// openBase opens the common version. Where both sides have made the vault it is empty, and nil is returned.
func (g gitMerge) openBase(ctx context.Context, keys *keyring.Keyring) (*vaultfile.Vault, error) {
	if info, err := os.Stat(g.base); err == nil && info.Size() == 0 {
		return nil, nil
	}
	v, _, err := keys.OpenHistory(ctx, g.base)
	return v, err
}

// tell says what was done, and fails where somebody has to decide.
func (g gitMerge) tell(m vaultfile.Merged, theirs *vaultfile.Vault) error {
	g.note("merged %s: %d taken over, %d removed", g.path, len(m.Taken), len(m.Removed))
	if m.TheirKey {
		g.note("%s is under the key that theirs was given", g.path)
	}
	if m.KeyConflict {
		g.warn("%s was given another key on both sides; it is under the one of ours", g.path)
	}
	if len(m.Unmerged) > 0 {
		g.warn("changed on both sides, and as in ours now: %s", shortList(m.Unmerged))
	}
	if len(m.Conflicts) == 0 {
		return nil
	}
	return &unresolved{conflict(g.resolve(m, theirs), "%s: changed on both sides: %s", g.path, join(m.Conflicts))}
}

// unresolved is the error of a merge that was made but for some secrets.
type unresolved struct{ error }

func (u *unresolved) Unwrap() error { return u.error }

// resolve says how to decide.
func (g gitMerge) resolve(m vaultfile.Merged, theirs *vaultfile.Vault) string {
	const most = 5
	var commands []string
	for _, name := range m.Conflicts {
		if n, ok := m.Theirs[name]; ok {
			commands = append(commands, fmt.Sprintf("vault-tool rollback %s --to %d%s", name, n, g.options()))
		} else if !theirs.Has(name) {
			commands = append(commands, "vault-tool rm "+name+g.options())
		}
	}
	take := "theirs is written to a file by: git checkout-index --stage=3 --temp -- " + shellWord(g.path)
	if len(commands) == len(m.Conflicts) && len(commands) <= most {
		take = "theirs is taken by: " + strings.Join(commands, "; ")
	} else if len(commands) > 0 {
		take += "; or taken by commands such as: " + commands[0]
	}
	return "all else is merged, and these are as in ours; " + take + "; then: git add " + shellWord(g.path)
}

// options are what a command needs to find the vault and its key, where it would look elsewhere.
func (g gitMerge) options() (options string) {
	if firstSet(g.getenv(vaultFileEnv), defaultVaultFile) != g.path {
		options = " --vault-file " + shellWord(g.path)
	}
	if g.azureURL() == "" && !sameFile(firstSet(g.getenv(keyFileEnv), defaultKeyFile), g.keyPath()) {
		options += " --key-file " + shellWord(g.keyPath())
	}
	return options
}

// unmerged says of an error that the file is as git has it, and how to go on.
func (g gitMerge) unmerged(err error) error {
	var made *unresolved
	if err == nil || errors.As(err, &made) || errors.Is(err, vaultfile.ErrUnconfirmed) {
		return err
	}
	o := describe(err)
	hint := "the file is as git has it; when this is mended, run: git checkout --merge -- " + shellWord(g.path)
	if o.hint != "" {
		hint = o.hint + "; " + hint
	}
	return &failure{code: o.code, kind: o.kind, err: fmt.Errorf("%s: %w", g.path, err), hint: hint}
}

// sweepMerges removes what merges that were killed have left beside git's own temporary files.
func sweepMerges(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, "..merge_file_*.vault-tmp")) // the pattern is a good one
	for _, path := range left {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), "."+"."), ".")
		_ = durable.Sweep(filepath.Join(dir, "."+name)) // what it cannot remove does not stand in the way
	}
}
