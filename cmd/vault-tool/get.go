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
	var raw bool
	var name string
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Print the value of one secret",
		Long: `Print the value of one secret: its bytes and nothing else to a pipe or a file, with a newline added on a
terminal. With --json an object with its name and value.

On a terminal, control characters other than newline and tab are shown escaped; --raw writes them.`,
		Example: "  vault-tool get DATABASE_URL\n  psql \"$(vault-tool get DATABASE_URL)\"",
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("name") {
				return noArguments(cmd, args)
			}
			return oneName(cmd, args)
		},
		ValidArgsFunction: a.completeOneName,
		RunE: a.action(func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				name = args[0]
			}
			return a.runGet(ctx, raw, name)
		}),
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "on a terminal too: the value's bytes as they are, and no newline")
	cmd.Flags().StringVar(&name, "name", "", "the secret's name, if it is no argument")
	_ = cmd.RegisterFlagCompletionFunc("name", a.completeNames) // fails for an unknown flag only
	return cmd
}

func (a *app) runGet(ctx context.Context, raw bool, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return a.withVault(ctx, func(v *vaultfile.Vault) error {
		err := v.Use(name, func(value []byte) error { return a.printValue(name, value, raw) })
		if errors.Is(err, vaultfile.ErrNotFound) {
			err = fmt.Errorf("%s: %w", a.vaultPath(), err)
			if similar := similarName(v.Names(), name); similar != "" {
				err = &failure{code: exitNotFound, kind: kindOf(err, exitNotFound), err: err, hint: "did you mean: " + similar}
			}
		}
		return err
	})
}

func (a *app) printValue(name string, value []byte, raw bool) error {
	if a.json {
		return a.printSecret(len("{}\n")+jsonPairLen(name, value), func(dst []byte) []byte {
			dst = append(dst, '{')
			dst = appendJSONPair(dst, name, value)
			return append(dst, "}\n"...)
		})
	}
	if raw || !terminal.Is(a.stdout) {
		return a.print(value)
	}
	if err := a.printVisible(value); err != nil {
		return err
	}
	return a.print([]byte("\n"))
}
