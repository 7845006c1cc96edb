package main

import (
	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/whoami"
	"github.com/mazevault/vault-tool/vaultfile"
)

// addIfMatch adds the flag of every command that writes a vault.
func (a *app) addIfMatch(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.ifMatch, ifMatchFlag, "", "fail with 6 unless the vault file's SHA-256 is `ETAG`")
	_ = cmd.RegisterFlagCompletionFunc(ifMatchFlag, cobra.NoFileCompletions) // fails for an unknown flag only
}

const ifMatchFlag = "if-match"

// checkIfMatch refuses an --if-match that no file can have.
func checkIfMatch(cmd *cobra.Command) error {
	flag := cmd.Flags().Lookup(ifMatchFlag)
	if flag == nil || !flag.Changed || vaultfile.ValidETag(flag.Value.String()) {
		return nil
	}
	return badInput("an ETag is the SHA-256 of the vault file: 64 hexadecimal digits in lower case, as sha256sum and every writing command with --json print it",
		"--%s takes an ETag", ifMatchFlag)
}

// writeOptions are the options of a command that writes a vault; from here on a signal no longer
// cuts it off. A timeout of 0 means not to wait at all.
func (a *app) writeOptions(command string) vaultfile.WriteOptions {
	a.interrupts.catch()
	o := vaultfile.WriteOptions{
		LockTimeout: a.lockTimeout,
		IfMatch:     a.ifMatch,
		Author:      vaultfile.Author{Who: whoami.Name(), Command: command},
		History:     vaultfile.DefaultHistory(),
	}
	if a.lockTimeout == 0 {
		o.LockTimeout = -1
	}
	return o
}

// noteHistory says what became of the old values of what a command has changed. kept is what may be said where they are kept.
func (a *app) noteHistory(w vaultfile.Written, kept string) {
	a.verboseNote("the ETag of %s is %s", a.vaultPath(), w.ETag)
	if len(w.History.Kept) > 0 && kept != "" {
		a.note("%s", kept)
	}
	switch {
	case len(w.History.NotKept) == 0:
	case w.History.On:
		a.note("no old value is kept of: %s (it is beyond the bounds of the history)", shortList(w.History.NotKept))
	default:
		a.note("no old value is kept of: %s (vault-tool history --keep %d keeps the last %d versions)",
			shortList(w.History.NotKept), vaultfile.DefaultHistory().Keep, vaultfile.DefaultHistory().Keep)
	}
	if len(w.History.Dropped) > 0 {
		a.note("the history has reached its bounds; the oldest values went of: %s", shortList(w.History.Dropped))
	}
}

// shortList writes the first of many names, and how many more there are.
func shortList(names []string) string {
	const most = 10
	if len(names) <= most {
		return join(names)
	}
	return join(names[:most]) + " and " + count(len(names)-most, "other")
}
