package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/vaultfile"
)

func newListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list [GLOB]…",
		Short: "List secret names (without values)",
		Long: `List secret names, sorted, one a line; with --json as an array. Values are never shown.

With globs only the names that one of them matches: '*' stands for any characters, '?' for one, [a-z]
for one of a range. An argument without any of these is a name that has to be there.`,
		Example:           "  vault-tool list\n  vault-tool list 'SMTP_*' --json",
		ValidArgsFunction: a.completeNames,
		RunE:              a.action(a.runList),
	}
}

func (a *app) runList(ctx context.Context, globs []string) error {
	s := selection.Selection{Only: globs}
	if err := globError(s.Validate()); err != nil {
		return err
	}
	return a.withVault(ctx, func(v *vaultfile.Vault) error {
		if len(globs) == 0 && !a.json { // a string for each of a hundred thousand names takes longer than to decode them
			return a.print(v.AppendNames(nil))
		}
		names := v.Names()
		if missing, _ := s.Unmatched(names); len(missing) > 0 {
			return a.noSuchName(missing[0].Glob)
		}
		return a.printNames(s.Names(names))
	})
}

// noSuchName is the failure for a name that the vault does not have. A file's name was meant to be a vault.
func (a *app) noSuchName(name string) error {
	err := fmt.Errorf("%s: %w: %s", a.vaultPath(), vaultfile.ErrNotFound, name)
	if _, statErr := os.Stat(name); statErr == nil || strings.HasSuffix(name, filepath.Ext(defaultVaultFile)) {
		return &failure{code: exitNotFound, err: err, hint: "a vault is given with: --vault-file " + shellWord(name)}
	}
	return err
}
