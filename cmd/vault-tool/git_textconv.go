package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/gitdiff"
	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/internal/reserved"
	"github.com/mazevault/vault-tool/vaultfile"
)

// The lines that stand for what cannot be shown. They are what git compares, so they never change.
const (
	notReadable = "not readable with this key\n"
	notDigested = "# values are not compared: vault-tool git-setup makes the key for that\n"
)

func newGitTextconvCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "textconv FILE",
		Short: "Write the names in a vault, each with a digest of its value",
		Args:  argumentsOf("FILE"),
	}
	var text []byte
	convert := a.action(func(ctx context.Context, args []string) error {
		a.addOldKeys(cmd)
		return a.withKeys(ctx, func(keys *keyring.Keyring) (err error) {
			text, err = digestText(ctx, keys, args[0])
			return err
		})
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a.quiet, a.completing = true, true // a pager is no place for notes and warnings either
		if err := convert(cmd, args); err != nil {
			a.verboseNote("%v", err)
			text = []byte(notReadable)
		}
		return a.print(text) // git shows nothing at all of a commit where this fails
	}
	a.addKeyFiles(cmd)
	return cmd
}

// digestText is what git compares in the place of a vault.
func digestText(ctx context.Context, keys *keyring.Keyring, path string) ([]byte, error) {
	v, _, err := keys.OpenHistory(ctx, path)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	pause("open")
	var w *gitdiff.Writer
	err = v.UseReserved(reserved.GitKey, func(entry []byte) (err error) {
		w, err = gitdiff.NewWriter(entry)
		return err
	})
	withoutKey := errors.Is(err, vaultfile.ErrNotFound) || errors.Is(err, gitdiff.ErrEntry)
	if withoutKey {
		w, err = gitdiff.NewWriter(nil)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	err = v.Each(func(name string, value []byte) error {
		w.Add(name, value)
		return nil
	})
	text := w.Text()
	if withoutKey {
		text = append([]byte(notDigested), text...)
	}
	return text, err
}
