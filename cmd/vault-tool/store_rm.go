package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/connections"
	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/internal/reserved"
	"github.com/mazevault/vault-tool/vaultfile"
)

type storeRmSummary struct {
	VaultFile string `json:"vault_file"`
	Name      string `json:"name"`
	ETag      string `json:"etag"`
}

func newStoreRmCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rm NAME",
		Short: "Remove a connection that no secret refers to",
		Long: `Remove a connection. While secrets are references on it, it stays: the error has exit code 6, and says how
many they are and which.`,
		Example:           "  vault-tool store rm staging",
		Args:              oneConnection,
		ValidArgsFunction: a.completeConnections,
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error { return a.runStoreRm(ctx, args[0]) })
	a.addIfMatch(cmd)
	return cmd
}

func (a *app) runStoreRm(ctx context.Context, name string) error {
	s := storeRmSummary{VaultFile: a.vaultPath(), Name: name}
	err := leftUnchanged(a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("store rm")}
		written, err := vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) error {
			if !connections.Exists(d, name) {
				_, err := connections.In(d, name)
				return a.inVault(err)
			}
			all, err := references.All(d.Before())
			if err != nil {
				return err
			}
			if names := linkedTo(all, name); len(names) > 0 {
				return &failure{
					code: exitConflict, kind: kindInUse,
					err:  fmt.Errorf("%s refer to the connection %s of %s: %s", count(len(names), "secret"), name, s.VaultFile, shortList(names)),
					hint: nothingChanged + "; remove them, or link them to something else",
				}
			}
			d.DeleteReserved(reserved.Connection(name))
			return nil
		})
		s.ETag = written.ETag
		return err
	}))
	if err != nil {
		return err
	}
	a.note("removed the connection %s from %s", name, s.VaultFile)
	if a.json {
		return a.printJSON(s)
	}
	return nil
}
