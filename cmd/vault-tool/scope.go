package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/vaultfile"
)

const (
	scopeFlag   = "scope"
	inheritFlag = "inherit"

	scopeHint = "a scope is the beginning of names, without the last '/': acme for acme/SMTP_PASSWORD"
)

// addScope adds the flag of a command that changes the secrets of one scope.
func (a *app) addScope(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.scope.Path, scopeFlag, "", "only the secrets below `PATH`/, named without it")
	_ = cmd.RegisterFlagCompletionFunc(scopeFlag, cobra.NoFileCompletions) // fails for an unknown flag only
}

// addReadScope adds the flags of a command that reads the secrets of one scope.
func (a *app) addReadScope(cmd *cobra.Command) {
	a.addScope(cmd)
	cmd.Flags().BoolVar(&a.scope.Inherit, inheritFlag, false, "with --scope: a name it lacks is that of the secret without a scope")
}

// checkScope refuses what is no scope.
func checkScope(cmd *cobra.Command) error {
	flags := cmd.Flags()
	path := flags.Lookup(scopeFlag)
	if path == nil {
		return nil
	}
	if path.Changed {
		if err := scope.Validate(path.Value.String()); err != nil {
			return badInput(scopeHint, "--scope: %w", err)
		}
	}
	if inherit := flags.Lookup(inheritFlag); inherit != nil && inherit.Changed && !path.Changed {
		return badInput("add --scope PATH", "--inherit is of use with --scope only")
	}
	return nil
}

// withSecrets calls f with the secrets of the scope of the command line, and closes them.
func (a *app) withSecrets(ctx context.Context, f func(scope.Secrets) error) error {
	return a.withVault(ctx, func(v *vaultfile.Vault) error { return f(a.scope.Of(v)) })
}

// fullNames are the names of secrets of the scope as the vault has them. They are checked.
func (a *app) fullNames(names []string) ([]string, error) {
	full := make([]string, 0, len(names))
	for _, name := range names {
		if err := checkName(name); err != nil {
			return nil, err
		}
		full = append(full, a.scope.Name(name))
		if err := vaultfile.ValidateName(full[len(full)-1]); err != nil {
			return nil, err
		}
	}
	return full, nil
}
