package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/keysource"
)

type initSummary struct {
	KeyFile string `json:"key_file"`
}

func newInitCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Generate a new random vault key file",
		Long: `Generate a new random vault key file: 32 random bytes as 64 hexadecimal digits, mode 0400.

A file that exists is never overwritten.`,
		Example: "  vault-tool init --key-file vault.key\n  vault-tool init --key-file vault.key.new",
		Args:    noArgumentsBut("the key file is given with --key-file"),
		RunE:    a.action(a.runInit),
	}
}

func (a *app) runInit(context.Context, []string) error {
	path := a.keyPath()
	a.interrupts.catch()
	err := keysource.Generate(path)
	if errors.Is(err, fs.ErrExist) {
		return existsAlready("a key is never overwritten; choose another name, or move the old key away if no vault needs it",
			"key file %s exists already", path)
	}
	if err != nil {
		return leftUnchanged(err)
	}
	a.note("wrote a new vault key to %s (mode 0400)", path)
	a.note("Back it up now, offline and apart from the vault: without it the vault cannot be opened by anybody.")
	if a.json {
		return a.printJSON(initSummary{KeyFile: path})
	}
	return nil
}
