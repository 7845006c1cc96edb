package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/vaultfile"
)

type renameOptions struct {
	copies bool
	force  bool
}

type renameSummary struct {
	VaultFile string `json:"vault_file"`
	From      string `json:"from"`
	To        string `json:"to"`
	Replaced  bool   `json:"replaced"` // there was a secret of the new name, with another value
	ETag      string `json:"etag"`
}

func newRenameCommand(a *app) *cobra.Command {
	return newMovingCommand(a, renameOptions{}, &cobra.Command{
		Use:     "rename OLD NEW",
		Aliases: []string{"mv"},
		Short:   "Give a secret another name",
		Long: `Give a secret another name. The old name keeps its history, and counts as removed; the history of the new
one begins with the value, and names the old one.

A name that a secret has already is refused; with --force its value is replaced.`,
		Example: "  vault-tool rename SMTP_PASS SMTP_PASSWORD\n  vault-tool rename API_KEY acme/API_KEY",
	})
}

func newCopyCommand(a *app) *cobra.Command {
	return newMovingCommand(a, renameOptions{copies: true}, &cobra.Command{
		Use:     "copy OLD NEW",
		Aliases: []string{"cp"},
		Short:   "Give a second secret the value of one",
		Long: `Give another secret the value that one has now. From then on they have nothing to do with each other; the
history of the new one names the old one.

A name that a secret has already is refused; with --force its value is replaced.`,
		Example: "  vault-tool copy API_KEY acme/API_KEY",
	})
}

func newMovingCommand(a *app, o renameOptions, cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 2 {
			return fmt.Errorf("give two names, the old and the new one (%d arguments were given)", len(args))
		}
		return nil
	}
	cmd.ValidArgsFunction = a.completeOneName
	cmd.RunE = a.action(func(ctx context.Context, args []string) error { return a.runRename(ctx, o, args[0], args[1]) })
	cmd.Flags().BoolVar(&o.force, "force", false, "replace the value of a secret that has the new name")
	a.addNames(cmd)
	a.addIfMatch(cmd)
	a.addScope(cmd)
	return cmd
}

func (a *app) runRename(ctx context.Context, o renameOptions, from, to string) error {
	names, err := a.fullNames([]string{from, to})
	if err != nil {
		return err
	}
	s := renameSummary{VaultFile: a.vaultPath(), From: names[0], To: names[1]}
	if s.From == s.To {
		return badInput("give two names", "%s is both the old and the new name", s.From)
	}
	command, move, done := "rename", (*vaultfile.Draft).Rename, "renamed"
	if o.copies {
		command, move, done = "copy", (*vaultfile.Draft).Copy, "copied"
	}
	var written vaultfile.Written
	err = a.withUnlocker(ctx, func(u *vaultfile.Unlocker) (err error) {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions(command)}
		written, err = vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) error {
			had := d.Has(s.To)
			err := move(d, s.From, s.To, o.force)
			s.Replaced = err == nil && had
			if errors.Is(err, vaultfile.ErrNotFound) {
				err = orSimilar(fmt.Errorf("%s: %w", s.VaultFile, err), d.Names(), s.From)
			}
			return err
		})
		return err
	})
	if errors.Is(err, vaultfile.ErrExists) {
		return existsAlready(nothingChanged+"; replace its value with: --force", "%s has a secret %s already", s.VaultFile, s.To)
	}
	if errors.Is(err, vaultfile.ErrNotFound) {
		return err
	}
	if err != nil {
		return leftUnchanged(err)
	}
	s.ETag = written.ETag
	a.note("%s %s to %s in %s", done, s.From, s.To, s.VaultFile)
	// The value of the old name is under the new one.
	written.History.Kept, written.History.NotKept = without(written.History.Kept, s.From), without(written.History.NotKept, s.From)
	a.noteHistory(written, "the old value of "+s.To+" is kept: vault-tool history "+s.To)
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

// without returns names without one.
func without(names []string, name string) []string {
	var rest []string
	for _, n := range names {
		if n != name {
			rest = append(rest, n)
		}
	}
	return rest
}
