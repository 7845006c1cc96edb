package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/keysource"
)

// newGitCommand is what git runs, once git-setup has told it to. It is not for people, and not in the help.
func newGitCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:    "git",
		Short:  "What git runs; see git-setup",
		Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			return badInput("set it up with: vault-tool git-setup", "these commands are for git to run")
		},
	}
	cmd.AddCommand(newGitTextconvCommand(a), newGitMergeCommand(a), newGitPreCommitCommand(a))
	return cmd
}

// argumentsOf wants the arguments that git gives.
func argumentsOf(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return errors.New("git gives the arguments " + join(names))
		}
		return nil
	}
}

// addOldKeys adds, to the keys of the command line, those that rotations have kept beside them: earlier commits are under them. One that cannot be
// read, or that somebody else may have put there, is left out.
func (a *app) addOldKeys(cmd *cobra.Command) {
	if a.azureURL() != "" {
		return
	}
	for _, key := range append([]string{a.keyPath()}, a.moreKeys...) {
		for _, old := range oldKeys(key) {
			source := keysource.NewReplacement(old, key)
			if source.Passphrase(cmd.Context(), func([]byte) error { return nil }) == nil {
				a.moreKeys = append(a.moreKeys, old)
			}
			source.Close()
		}
	}
}

// oldKeys are the files that rotate-key has made of a key, the latest first.
func oldKeys(key string) []string {
	latest := key + ".old"
	if absent(latest) {
		return nil
	}
	var earlier []string
	for n := 1; !absent(latest + "." + strconv.Itoa(n)); n++ {
		earlier = append([]string{fmt.Sprintf("%s.%d", latest, n)}, earlier...)
	}
	return append([]string{latest}, earlier...)
}
