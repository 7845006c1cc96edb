package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/connections"
	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/provider"
	"github.com/mazevault/vault-tool/vaultfile"
)

// storeOutcomes are the exit codes, kinds and hints of errors about connections and references.
var storeOutcomes = []outcomeOf{
	{connections.ErrNotFound, exitNotFound, "connection_not_found", "vault-tool store list shows the connections that are there; make one with: vault-tool store add"},
	{connections.ErrBad, exitUsage, "bad_connection", "vault-tool store types shows the fields"},
	{connections.ErrUnknown, exitFailed, kindLaterVersion, laterVersionHint},
	{references.ErrUnknownRecord, exitFailed, kindLaterVersion, laterVersionHint},
	{provider.ErrReference, exitFailed, kindUnresolved, unresolvedHint},
	{references.ErrBad, exitUsage, "bad_reference", "a reference is awssm://, akv://, gcpsm:// or vault://, the name of a connection, and a path: akv://corp/database-password"},
}

const (
	kindInUse         = "in_use"
	kindNotAReference = "not_a_reference"
	kindLaterVersion  = "later_version"
	laterVersionHint  = "use the version of vault-tool that wrote it, or a later one"
)

func newStoreCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store COMMAND",
		Short: "Keep connections to external stores of secrets",
		Long: `A connection says where an external store of secrets is, and holds the credentials for it, if any: AWS
Secrets Manager, Azure Key Vault, GCP Secret Manager, HashiCorp Vault and OpenBao. It is in the vault, as
encrypted as the secrets, and link makes secrets references to what such a store holds.

Without credentials the ambient ones count, which is better where there are any: the role of a host, a
managed or workload identity, the login of a command-line tool.`,
		Example: "  vault-tool store types\n  vault-tool store add aws-sm prod\n  vault-tool store list",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return badInput("run: vault-tool store --help", "unknown command of store")
			}
			return cmd.Help()
		},
	}
	cmd.Args = cobra.ArbitraryArgs
	cmd.AddCommand(newStoreAddCommand(a), newStoreTypesCommand(a), newStoreListCommand(a), newStoreShowCommand(a), newStoreEditCommand(a), newStoreRmCommand(a))
	return cmd
}

// oneConnection wants one argument, the name of a connection.
func oneConnection(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the name of one connection (%d arguments were given)", len(args))
	}
	return checkConnectionName(args[0])
}

// checkConnectionName validates a name from the command line, without repeating what may be a credential.
func checkConnectionName(name string) error {
	if !references.ValidConnection(name) {
		return badInput("small letters, digits and '-' between them, at most 63", "that cannot be the name of a connection")
	}
	return nil
}

// storeSummary is what a command prints that changes a connection.
type storeSummary struct {
	VaultFile string            `json:"vault_file"`
	Name      string            `json:"name"`
	Type      string            `json:"type"`
	Outcome   vaultfile.Outcome `json:"outcome"`
	ETag      string            `json:"etag"`
}

// inVault names the vault in an error about a connection that it does not have.
func (a *app) inVault(err error) error {
	if errors.Is(err, connections.ErrNotFound) {
		return fmt.Errorf("%s: %w", a.vaultPath(), err)
	}
	return err
}

// linkedTo returns the names of the secrets that are references on a connection, sorted.
func linkedTo(all map[string]string, connection string) []string {
	names := []string{}
	for name, text := range all {
		if r, err := references.Parse(text); err == nil && r.Connection == connection {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// completeConnections completes the name of a connection.
func (a *app) completeConnections(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if len(args) == 0 {
		a.completeFrom(cmd, func(v *vaultfile.Vault) { names = connections.Names(v) })
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
