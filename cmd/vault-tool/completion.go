package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/vaultfile"
)

// addCompletionCommand adds cobra's completion command, with examples and with errors that are not taken
// for errors of usage.
func (a *app) addCompletionCommand(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Example = "  source <(vault-tool completion bash)\n  vault-tool completion fish > ~/.config/fish/completions/vault-tool.fish"
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return errors.New("the shells are bash, zsh, fish and powershell")
			}
			return nil
		}
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() } // for Args to be looked at
		for _, shell := range cmd.Commands() {
			shell.Example = "  vault-tool completion " + shell.Name()
			write := shell.RunE
			shell.RunE = func(cmd *cobra.Command, args []string) error {
				a.parsed = true
				return outputError(write(cmd, args))
			}
		}
	}
}

// completeFiles makes the shell complete file names for the given flags.
func completeFiles(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		// An error would mean that the flag does not exist, which the tests would find.
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		})
	}
}

// completeNames completes secret names.
func (a *app) completeNames(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	a.completeFrom(cmd, func(v *vaultfile.Vault) { names = a.scope.Of(v).Names() })
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeFrom calls f with the vault, where the key can be read; otherwise there is nothing to offer.
func (a *app) completeFrom(cmd *cobra.Command, f func(*vaultfile.Vault)) {
	// A key from a pipe is for the command, once, and might never come.
	if info, err := os.Stat(a.keyPath()); err != nil && a.azureURL() == "" || err == nil && !info.Mode().IsRegular() {
		return
	}
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	a.completing = true
	_ = a.openKeyCache(cmd.Flags()) // a bad duration is told when the line is run
	_ = guarded(func() error {
		return a.withVault(ctx, func(v *vaultfile.Vault) error {
			f(v)
			return nil
		})
	})
}

// completeOneName is completeNames for a command that takes one name.
func (a *app) completeOneName(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeNames(cmd, args, prefix)
}
