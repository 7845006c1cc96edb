package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/keycache"
)

type forgetSummary struct {
	Forgotten int `json:"forgotten"`
}

func newForgetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "forget",
		Aliases: []string{"lock"}, // its name in the first version
		Short:   "Forget the keys that --key-cache keeps",
		Long: `Forget at once all derived keys that --key-cache or $VAULT_TOOL_KEY_CACHE keeps in the kernel's keyring
of this user, whatever vault they belong to. The next command derives its key anew, and keeps it again
if it is told to.

A key is forgotten without it when its time is over, which counts from its derivation and not from its
last use, and when rotate-key replaces it. Until then every process of this user, and root, can read it
and open the vault with it.`,
		Example: "  vault-tool forget",
		Args:    noArgumentsBut("it takes no argument: it forgets the keys of all vaults"),
		RunE:    a.plainAction(a.runForget),
	}
}

func (a *app) runForget(context.Context, []string) error {
	n, err := keycache.Clear()
	switch {
	case errors.Is(err, keycache.ErrUnavailable): // then this process cannot have kept one, and scripts call this at their end anywhere
		a.note("nothing forgotten: %v", err)
	case err != nil:
		return err
	default:
		a.note("forgot %s", count(n, "cached key"))
	}
	if a.json {
		return a.printJSON(forgetSummary{n})
	}
	return nil
}
