package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/connections"
	"github.com/mazevault/vault-tool/internal/reserved"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/vaultfile"
)

func newStoreAddCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add TYPE NAME",
		Short: "Add a connection",
		Long: `Add a connection of a type (aws-sm, azure-kv, gcp-sm or vault) under a name of small letters, digits and '-'.
On a terminal every field is asked for, those with credentials without showing them; otherwise a JSON
object of fields to strings is read from standard input. The command "store types" shows the fields.`,
		Example: `  vault-tool store add aws-sm prod
  echo '{"region": "eu-west-1"}' | vault-tool store add aws-sm prod
  jq -n --rawfile k sa.json '{projectId: "p", serviceAccountJson: $k}' |
    vault-tool store add gcp-sm gcp`,
		Args: typeAndName,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return typeKeys(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error {
		return a.runStoreAdd(ctx, connections.TypeOf(args[0]), args[1])
	})
	a.addIfMatch(cmd)
	return cmd
}

func typeKeys() []string {
	var keys []string
	for _, t := range connections.Types() {
		keys = append(keys, t.Key)
	}
	return keys
}

func typeAndName(_ *cobra.Command, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("give a type and a name (%d arguments were given)", len(args))
	}
	if connections.TypeOf(args[0]) == nil {
		return badInput("the types are "+strings.Join(typeKeys(), ", "), "that is no type of store")
	}
	return checkConnectionName(args[1])
}

func (a *app) runStoreAdd(ctx context.Context, t *connections.Type, name string) error {
	s := storeSummary{VaultFile: a.vaultPath(), Name: name, Type: t.Key, Outcome: vaultfile.Added}
	c, err := connections.New(name, t)
	if err != nil {
		return err
	}
	defer c.Close()
	err = leftUnchanged(a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		if err := a.fillConnection(ctx, u, c); err != nil {
			return err
		}
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("store add")}
		written, err := vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) error {
			if connections.Exists(d, name) {
				return a.connectionExists(name)
			}
			return setConnection(d, c)
		})
		s.ETag = written.ETag
		return err
	}))
	if err != nil {
		return err
	}
	a.note("added the connection %s to %s", name, s.VaultFile)
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

func (a *app) connectionExists(name string) error {
	return existsAlready(nothingChanged+"; change it with: vault-tool store edit "+name, "%s has a connection %s already", a.vaultPath(), name)
}

// fillConnection reads the fields of a new connection. On a terminal it opens the vault before it asks, so that nobody types in vain.
func (a *app) fillConnection(ctx context.Context, u *vaultfile.Unlocker, c *connections.Connection) error {
	if terminal.Is(a.stdin) {
		a.interrupts.catch()
		v, err := vaultfile.Open(ctx, a.vaultPath(), u)
		if err != nil {
			return err
		}
		exists := connections.Exists(v, c.Name)
		v.Close()
		if exists {
			return a.connectionExists(c.Name)
		}
	}
	fields, err := a.readFields(ctx, c)
	if err != nil {
		return err
	}
	defer fields.close()
	if err := fields.apply(c); err != nil {
		return fieldError(c.Type, err)
	}
	return nil
}

// fieldError says in the hint of an error about fields where they are listed.
func fieldError(t *connections.Type, err error) error {
	if errors.Is(err, connections.ErrBad) {
		return &failure{code: exitUsage, kind: kindOf(err, exitUsage), err: err, hint: nothingChanged + "; vault-tool store types shows the fields of " + t.Key}
	}
	return err
}

func setConnection(d *vaultfile.Draft, c *connections.Connection) error {
	text, err := c.Encode()
	if err != nil {
		return err
	}
	return d.SetReserved(reserved.Connection(c.Name), text)
}
