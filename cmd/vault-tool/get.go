package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/vaultfile"
)

func newGetCommand(a *app) *cobra.Command {
	var raw bool
	var version string
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Print the value of one secret",
		Long: `Print the value of one secret: its bytes and nothing else to a pipe or a file, with a newline added on a
terminal. With --json an object with its name and value.

On a terminal, control characters other than newline and tab are shown escaped; --raw writes them.`,
		Example:           "  vault-tool get DATABASE_URL\n  psql \"$(vault-tool get DATABASE_URL)\"",
		Args:              oneName,
		ValidArgsFunction: a.completeOneName,
		RunE: a.action(func(ctx context.Context, args []string) error {
			if version != "" {
				return a.runGetVersion(ctx, raw, args[0], version)
			}
			return a.runGet(ctx, raw, args[0])
		}),
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "on a terminal too: the value's bytes as they are, and no newline")
	cmd.Flags().StringVar(&version, "version", "", "the value of version `N`, which history lists")
	a.addReadScope(cmd)
	a.addNames(cmd)
	return cmd
}

func (a *app) runGet(ctx context.Context, raw bool, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return a.withDelivered(ctx, func(v scope.Secrets) error {
		err := v.Use(name, func(value []byte) error { return a.printValue(name, value, raw) })
		if errors.Is(err, vaultfile.ErrNotFound) {
			err = orSimilar(fmt.Errorf("%s: %w", a.vaultPath(), err), v.Names(), name)
		}
		return err
	})
}

// runGetVersion prints a value that is no longer the current one, or may be.
func (a *app) runGetVersion(ctx context.Context, raw bool, name, version string) error {
	names, err := a.fullNames([]string{name})
	if err != nil {
		return err
	}
	n, err := parseVersion("--version", version)
	if err != nil {
		return err
	}
	return a.withHistory(ctx, func(v *vaultfile.Vault) error {
		if _, err := v.History(names[0]); errors.Is(err, vaultfile.ErrNotFound) {
			return a.notInHistory(v, names[0], err)
		}
		err := v.UseVersion(names[0], n, func(value []byte) error {
			if err := checkValue(v, names[0], value); err != nil {
				return err
			}
			return a.printValue(name, value, raw)
		})
		if errors.Is(err, vaultfile.ErrNotFound) {
			err = &failure{code: exitNotFound, kind: kindOf(err, exitNotFound), err: fmt.Errorf("%s: %w", a.vaultPath(), err),
				hint: "the versions and what there is of them: vault-tool history " + name}
		}
		return a.tellReference(err)
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
	return a.printVisible(value, "\n")
}
