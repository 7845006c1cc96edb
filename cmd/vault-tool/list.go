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

type listOptions struct {
	long      bool
	olderThan string
	refs      bool
}

func newListCommand(a *app) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:   "list [GLOB]…",
		Short: "List secret names (without values)",
		Long: `List secret names, sorted, one a line; with --json as the object {"names": […]}. Values are never shown.

With globs only the names that one of them matches: '*' stands for any characters, '?' for one, [a-z]
for one of a range. An argument without any of these is a name that has to be there.

With --refs only the secrets that are references to external stores, and to what. With --long the version of the present value, its age and who wrote it, as the history has them. With
--older-than only secrets whose value is at least so old.`,
		Example:           "  vault-tool list\n  vault-tool list 'SMTP_*' --json\n  vault-tool list --long --older-than 90d",
		ValidArgsFunction: a.completeNames,
		RunE:              a.action(func(ctx context.Context, globs []string) error { return a.runList(ctx, o, globs) }),
	}
	cmd.Flags().BoolVarP(&o.long, "long", "l", false, "the version, the age of the value and who wrote it as well")
	cmd.Flags().StringVar(&o.olderThan, "older-than", "", "only secrets whose value is at least so old: `AGE` as 90d or 12h")
	a.addNames(cmd)
	cmd.Flags().BoolVar(&o.refs, "refs", false, "only references to external stores, and to what they refer")
	cmd.MarkFlagsMutuallyExclusive("refs", "long")
	cmd.MarkFlagsMutuallyExclusive("refs", "older-than")
	a.addReadScope(cmd)
	return cmd
}

func (a *app) runList(ctx context.Context, o listOptions, globs []string) error {
	s := selection.Selection{Only: globs}
	if err := globError(s.Validate()); err != nil {
		return err
	}
	if o.refs {
		return a.runListReferences(ctx, s)
	}
	if o.long || o.olderThan != "" {
		return a.runListLong(ctx, o, globs)
	}
	return a.withVault(ctx, func(v *vaultfile.Vault) error {
		if len(globs) == 0 && !a.json && a.scope.Path == "" { // a string for each of a hundred thousand names takes longer than to decode them
			return a.print(v.AppendNames(nil))
		}
		names := a.scope.Of(v).Names()
		if missing, _ := s.Unmatched(names); len(missing) > 0 {
			return a.noSuchName(names, missing[0].Glob)
		}
		return a.printNames(s.Names(names))
	})
}

// noSuchName is the failure for a name that the vault does not have. A file's name was meant to be a vault.
func (a *app) noSuchName(names []string, name string) error {
	err := fmt.Errorf("%s: %w: %s", a.vaultPath(), vaultfile.ErrNotFound, name)
	if _, statErr := os.Stat(name); statErr == nil || strings.HasSuffix(name, filepath.Ext(defaultVaultFile)) {
		return &failure{code: exitNotFound, err: err, hint: "a vault is given with: --vault-file " + shellWord(name)}
	}
	return orSimilar(err, names, name)
}
