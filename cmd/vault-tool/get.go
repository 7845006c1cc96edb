package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/vaultfile"
)

func newGetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "get NAME",
		Short: "Print the value of one secret",
		Long: `Print the value of one secret: its bytes and nothing else to a pipe or a file, with a newline added on a
terminal. With --json an object with its name and value.`,
		Example:           "  vault-tool get DATABASE_URL\n  psql \"$(vault-tool get DATABASE_URL)\"",
		Args:              oneName,
		ValidArgsFunction: a.completeOneName,
		RunE:              a.action(a.runGet),
	}
}

func (a *app) runGet(ctx context.Context, args []string) error {
	if err := checkName(args[0]); err != nil {
		return err
	}
	return a.withVault(ctx, func(v *vaultfile.Vault) error {
		err := v.Use(args[0], func(value []byte) error { return a.printValue(args[0], value) })
		if errors.Is(err, vaultfile.ErrNotFound) {
			err = fmt.Errorf("%s: %w", a.vaultPath(), err)
		}
		return err
	})
}

func (a *app) printValue(name string, value []byte) error {
	if a.json {
		return a.printSecret(len("{}\n")+jsonPairLen(name, value), func(dst []byte) []byte {
			dst = append(dst, '{')
			dst = appendJSONPair(dst, name, value)
			return append(dst, "}\n"...)
		})
	}
	if err := a.print(value); err != nil || !terminal.Is(a.stdout) {
		return err
	}
	return a.print([]byte("\n"))
}
