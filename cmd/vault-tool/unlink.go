package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/vaultfile"
)

type unlinkSummary struct {
	VaultFile string `json:"vault_file"`
	Name      string `json:"name"`
	Reference string `json:"reference"` // what it was
	ETag      string `json:"etag"`
}

func newUnlinkCommand(a *app) *cobra.Command {
	keep := false
	cmd := &cobra.Command{
		Use:   "unlink NAME",
		Short: "Remove a reference to an external store",
		Long: `Remove a reference, and the secret with it: its text is of no use as a value. undelete gives it back. The
secret in the store stays as it is.

With --keep-value the secret gets the value that the store has, which this version cannot fetch. To give a
secret a value that you have, add is enough: it takes the place of the reference.`,
		Example:           "  vault-tool unlink DB_PASSWORD",
		Args:              oneName,
		ValidArgsFunction: a.completeOneName,
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error { return a.runUnlink(ctx, args[0], keep) })
	cmd.Flags().BoolVar(&keep, "keep-value", false, "keep the value that the store has as the secret's own")
	a.addIfMatch(cmd)
	a.addScope(cmd)
	return cmd
}

func (a *app) runUnlink(ctx context.Context, name string, keep bool) error {
	full, err := a.fullNames([]string{name})
	if err != nil {
		return err
	}
	s := unlinkSummary{VaultFile: a.vaultPath(), Name: full[0]}
	err = leftUnchanged(a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("unlink")}
		written, err := vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) (err error) {
			if !d.Has(s.Name) {
				return fmt.Errorf("%s: %w: %s", s.VaultFile, vaultfile.ErrNotFound, s.Name)
			}
			s.Reference, err = references.Of(d, s.Name)
			switch {
			case err != nil:
				return err
			case s.Reference == "":
				return &failure{code: exitConflict, kind: kindNotAReference, err: fmt.Errorf("%s: %s has a value of its own, and is no reference", s.VaultFile, s.Name),
					hint: nothingChanged + "; vault-tool list --refs shows the references"}
			case keep:
				return a.tellReference(&referenceError{s.Name, s.Reference})
			}
			return d.Delete(s.Name)
		})
		s.ETag = written.ETag
		return err
	}))
	if err != nil {
		return err
	}
	a.note("removed %s from %s, which was a reference to %s", s.Name, s.VaultFile, s.Reference)
	if a.json {
		return a.printJSON(s)
	}
	return nil
}
