package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/vaultfile"
)

type rmSummary struct {
	VaultFile string   `json:"vault_file"`
	Removed   []string `json:"removed"`
	ETag      string   `json:"etag"`
}

func newRmCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "rm NAME…",
		Aliases:           []string{"remove"},
		Short:             "Remove secrets, all of them or none",
		Long:              "Remove secrets. If one of the names is not in the vault, none is removed.",
		Example:           "  vault-tool rm SMTP_USERNAME SMTP_PASSWORD",
		ValidArgsFunction: a.completeNames,
		Args:              someNames,
		RunE:              a.action(a.runRm),
	}
	a.addNames(cmd)
	a.addIfMatch(cmd)
	a.addScope(cmd)
	return cmd
}

func (a *app) runRm(ctx context.Context, names []string) error {
	names, err := a.fullNames(names)
	if err != nil {
		return err
	}
	slices.Sort(names)
	names = slices.Compact(names)
	path := a.vaultPath()
	var written vaultfile.Written
	err = a.withUnlocker(ctx, func(u *vaultfile.Unlocker) (err error) {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("rm")}
		written, err = vaultfile.Update(ctx, path, u, update, func(d *vaultfile.Draft) error {
			missing := slices.DeleteFunc(slices.Clone(names), d.Has)
			if len(missing) > 0 {
				return fmt.Errorf("%s: %w: %s; nothing was removed", path, vaultfile.ErrNotFound, strings.Join(missing, ", "))
			}
			for _, name := range names {
				if err := d.Delete(name); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	})
	if err != nil {
		return leftUnchanged(err)
	}
	a.note("removed %s from %s", strings.Join(names, ", "), path)
	a.noteHistory(written, "the old values are kept: vault-tool undelete gives them back, vault-tool destroy erases them")
	if a.json {
		return a.printJSON(rmSummary{path, names, written.ETag})
	}
	return nil
}
