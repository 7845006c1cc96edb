package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/connections"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/vaultfile"
)

func newStoreEditCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Change fields of a connection",
		Long: `Change fields of a connection. On a terminal every field is asked for: Enter keeps what there is, '-' takes
it away. Otherwise a JSON object of fields to strings is read from standard input: what it does not name
stays, null or "" takes a field away, and a credential that comes back masked (••••••••) stays.`,
		Example: `  vault-tool store edit prod
  echo '{"region": "eu-central-1"}' | vault-tool store edit prod`,
		Args:              oneConnection,
		ValidArgsFunction: a.completeConnections,
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error { return a.runStoreEdit(ctx, args[0]) })
	a.addIfMatch(cmd)
	return cmd
}

func (a *app) runStoreEdit(ctx context.Context, name string) error {
	s := storeSummary{VaultFile: a.vaultPath(), Name: name}
	err := leftUnchanged(a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		changes, err := a.readEdits(ctx, u, name)
		if err != nil {
			return err
		}
		defer changes.close()
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("store edit")}
		written, err := vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) error {
			c, err := connections.In(d, name)
			if err != nil {
				return a.inVault(err)
			}
			defer c.Close()
			s.Type = c.Type.Key
			if err := changes.apply(c); err != nil {
				return fieldError(c.Type, err)
			}
			return setConnection(d, c)
		})
		s.Outcome, s.ETag = written.Outcome, written.ETag
		return err
	}))
	if err != nil {
		return err
	}
	if s.Outcome == vaultfile.Unchanged {
		a.note("the connection %s is so in %s already", name, s.VaultFile)
	} else {
		a.note("changed the connection %s in %s", name, s.VaultFile)
	}
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

// readEdits reads the fields that are to change, with the connection as it is now before it.
func (a *app) readEdits(ctx context.Context, u *vaultfile.Unlocker, name string) (*fieldChanges, error) {
	if terminal.Is(a.stdin) {
		a.interrupts.catch()
	}
	v, err := vaultfile.Open(ctx, a.vaultPath(), u)
	if err != nil {
		return nil, err
	}
	c, err := connections.In(v, name)
	v.Close() // the secrets need not be in memory while somebody types
	if err != nil {
		return nil, a.inVault(err)
	}
	defer c.Close()
	return a.readFields(ctx, c)
}
