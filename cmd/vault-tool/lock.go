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
		Long: `Forget at once all derived keys that --key-cache keeps in the kernel's keyring of this user, whatever
vault they belong to. The next command derives its key anew.`,
		Example: "  vault-tool lock",
		Args:    noArguments,
		RunE:    a.action(a.runLock),
	}
}

func (a *app) runLock(context.Context, []string) error {
	n, err := keycache.Clear()
	if errors.Is(err, keycache.ErrUnavailable) {
		a.verboseNote("%v, so no key can be in it", err)
	} else if err != nil {
		return err
	}
	a.note("forgot %s", count(n, "cached key"))
	if a.json {
		return a.printJSON(lockSummary{n})
	}
	return nil
}
