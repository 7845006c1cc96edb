package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/keycache"
)

type lockSummary struct {
	Forgotten int `json:"forgotten"`
}

func newLockCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "lock",
		Short: "Forget the keys that --key-cache keeps",
		Long: `Forget at once all derived keys that --key-cache or $VAULT_TOOL_KEY_CACHE keeps in the kernel's keyring
of this user, whatever vault they belong to. The next command derives its key anew, and keeps it again
if it is told to.

A key is forgotten without lock when its time is over, which counts from its derivation and not from its
last use, and when rotate-key replaces it. Until then every process of this user, and root, can read it
and open the vault with it.`,
		Example: "  vault-tool lock",
		Args:    noArguments,
		RunE:    a.plainAction(a.runLock),
	}
}

func (a *app) runLock(context.Context, []string) error {
	n, err := keycache.Clear()
	switch {
	case errors.Is(err, keycache.ErrUnavailable): // then this process cannot have kept one, and scripts lock at their end anywhere
		a.note("nothing forgotten: %v", err)
	case err != nil:
		return err
	default:
		a.note("forgot %s", count(n, "cached key"))
	}
	if a.json {
		return a.printJSON(lockSummary{n})
	}
	return nil
}
