package main

import (
	"context"
	"path"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/vaultfile"
)

func newListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list [GLOB]…",
		Short: "List secret names (without values)",
		Long: `List secret names, sorted, one a line; with --json as an array. Values are never shown.

With a glob only the names it matches: '*' and '?' stand for characters other than '/', and [a-z] for
one of a range. Of several globs one has to match.`,
		Example:           "  vault-tool list\n  vault-tool list 'SMTP_*' --json",
		ValidArgsFunction: a.completeNames,
		RunE:              a.action(a.runList),
	}
}

func (a *app) runList(ctx context.Context, globs []string) error {
	if err := validateGlobs(globs); err != nil {
		return err
	}
	return a.withVault(ctx, func(v *vaultfile.Vault) error {
		names := v.Names()
		if len(globs) > 0 {
			names = filterNames(names, globs)
		}
		return a.printNames(names)
	})
}

func filterNames(names, globs []string) []string {
	matching := []string{} // an empty array, not null, as JSON
	for _, name := range names {
		if matchesAny(globs, name) {
			matching = append(matching, name)
		}
	}
	return matching
}

// matchesAny tells whether one of the globs, which are valid, matches name.
func matchesAny(globs []string, name string) bool {
	for _, glob := range globs {
		if ok, err := path.Match(glob, name); ok && err == nil {
			return true
		}
	}
	return false
}

func validateGlobs(globs []string) error {
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil {
			return badInput("write '*' for any characters, '?' for one, [a-z] for a range", "invalid glob %q", glob)
		}
	}
	return nil
}
