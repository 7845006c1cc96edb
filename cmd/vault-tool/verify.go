package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/internal/progress"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/internal/verify"
)

type verifyOptions struct {
	search      verify.Search
	null        bool
	require     []string
	requireFrom string
	against     string
}

func newVerifyCommand(a *app) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify PATH…",
		Short: "Prove that backups can be restored",
		Long: `Open every vault that the paths lead to, and tell of each whether it passes: a key opens it, it is well
formed, and it holds what --require names. Nothing is shown of the values.

A path is a file, a directory, a glob in quotes, or - for a list of paths on standard input. In a
directory every file counts, but *.lock, *.drop.pub, the keys that were given, what looks like another
key, and what a killed run of vault-tool left; those are listed as skipped.

With --against each backup is compared with the vault in use: which names are missing, extra, have an
earlier value of that vault (older), as far as its history goes, or another one (different). A backup
that differs passes all the same.

The exit code is 0 if all pass, else 4 if one cannot be opened (no key fits, damaged, no vault, cut
short), else 1 if one cannot be read, else 3 if one is missing, lacks a required name, or if there is none.`,
		Example: `  vault-tool verify /secure-backup --key-file vault.key --key-file vault.key.old
  vault-tool verify '/secure-backup/*.2026*' --require MAZEVAULT_MASTER_KEY
  vault-tool verify /secure-backup --against secrets.vault --json
  find / -name '*.vault' -print0 | vault-tool verify -0 -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return badInput("vault-tool verify /secure-backup, or one file of it", "give a backup, or a directory of them")
			}
			return nil
		},
		RunE: a.action(func(ctx context.Context, paths []string) error { return a.runVerify(ctx, o, paths) }),
	}
	flags := cmd.Flags()
	a.addKeyFiles(cmd)
	flags.BoolVarP(&o.search.Recursive, "recursive", "r", false, "enter the directories in directories")
	flags.StringArrayVar(&o.search.Exclude, "exclude", nil, "skip what `GLOB` matches, a name or a path (repeatable)")
	flags.StringArrayVar(&o.require, "require", nil, "fail what lacks the secret `NAME` (repeatable)")
	flags.StringVar(&o.requireFrom, "require-from", "", "the same for every line of `FILE`, as list prints them")
	flags.StringVar(&o.against, "against", "", "compare with the vault `LIVE`, by name")
	flags.BoolVarP(&o.null, "null", "0", false, "the list on standard input is separated by NUL")
	completeFiles(cmd, "require-from", "against")
	return cmd
}

func (a *app) runVerify(ctx context.Context, o verifyOptions, paths []string) error {
	if err := globError(selection.Validate(o.search.Exclude)); err != nil {
		return err
	}
	required, err := a.requiredNames(ctx, o)
	if err != nil {
		return err
	}
	if paths, err = a.listedPaths(ctx, o, paths); err != nil {
		return err
	}
	debug.SetGCPercent(100) // the runtime's default: this command may last
	a.interrupts.catch()
	return a.withKeys(ctx, func(keys *keyring.Keyring) error {
		v := &verify.Verifier{Keys: keys, KeyFiles: a.keyFileInfos(), Require: required}
		if o.against != "" {
			live, _, err := keys.OpenHistory(ctx, o.against)
			if err != nil {
				told := describe(err) // the file was named, and is not the vault of the command line
				return &failure{code: told.code, kind: told.kind, err: err, hint: "check --against; " + told.hint}
			}
			defer live.Close()
			v.Live = verify.NewLive(live)
		}
		return a.verifyAll(ctx, v, o.search.Files(paths))
	})
}

// verifyAll looks at the files and tells of each.
func (a *app) verifyAll(ctx context.Context, v *verify.Verifier, files []verify.File) error {
	report := newVerifyReport(a, v, files)
	if terminal.Is(a.stderr) && !a.quiet && a.getenv("TERM") != "dumb" {
		report.bar = progress.Start(a.stderr, "verifying", len(files))
		report.held = terminal.Is(a.stdout) // a bar and lines do not go together on one screen
	}
	err := v.Run(ctx, files, report.tell)
	if endErr := report.end(); err == nil {
		err = endErr
	}
	if err != nil {
		return err
	}
	pause("verified")
	return report.verdict()
}

// keyFileInfos are the key files of the command line, as far as there are any.
func (a *app) keyFileInfos() []fs.FileInfo {
	var infos []fs.FileInfo
	for _, path := range append([]string{a.keyPath()}, a.moreKeys...) {
		if info, err := os.Stat(path); err == nil {
			infos = append(infos, info)
		}
	}
	return infos
}

// Limits of lists that are read.
const (
	maxNameListBytes = 64 << 20
	maxPathListBytes = 256 << 20
)

// requiredNames are those of --require and --require-from, each once.
func (a *app) requiredNames(ctx context.Context, o verifyOptions) ([]string, error) {
	names := slices.Clone(o.require)
	if o.requireFrom != "" {
		lines, err := a.readList(ctx, o.requireFrom, "list of names", "\n", maxNameListBytes)
		if err != nil {
			return nil, err
		}
		if len(lines) == 0 {
			return nil, badInput("it has a name on each line, as vault-tool list prints them", "%s names no secret", inputName(o.requireFrom))
		}
		names = append(names, lines...)
	}
	for i, name := range names {
		if err := checkName(name); err != nil {
			if i >= len(o.require) {
				return nil, badInput("it has a name on each line, as vault-tool list prints them", "%s: line %d is no name of a secret", inputName(o.requireFrom), i-len(o.require)+1)
			}
			return nil, err
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// listedPaths puts the list on standard input in the place of "-".
func (a *app) listedPaths(ctx context.Context, o verifyOptions, paths []string) ([]string, error) {
	i := slices.Index(paths, stdinName)
	switch {
	case i < 0 && o.null:
		return nil, badInput("add - for the list", "--null is about a list of paths on standard input, and none is read")
	case i < 0:
		return paths, nil
	case o.requireFrom == stdinName || slices.Contains(paths[i+1:], stdinName):
		return nil, badInput("give the other as a file", "standard input can be read only once")
	}
	separator := "\n"
	if o.null {
		separator = "\x00"
	}
	listed, err := a.readList(ctx, stdinName, "list of paths", separator, maxPathListBytes)
	if err != nil {
		return nil, err
	}
	return slices.Concat(paths[:i], listed, paths[i+1:]), nil
}

// readList reads what is separated, by lines with the ends of either kind, and leaves out what is empty.
func (a *app) readList(ctx context.Context, file, form, separator string, limit int) ([]string, error) {
	input, err := a.readFile(ctx, file, form, limit)
	if err != nil {
		return nil, err
	}
	defer input.Destroy()
	var items []string
	for item := range bytes.SplitSeq(input.Bytes(), []byte(separator)) {
		text := string(item)
		if separator == "\n" {
			text = strings.TrimSuffix(text, "\r")
		}
		if text != "" {
			items = append(items, text)
		}
	}
	return items, nil
}

// differenceText tells a difference in words.
func differenceText(d *verify.Difference) string {
	if !d.Any() {
		return "the same as now"
	}
	var parts []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"missing", d.Missing}, {"extra", d.Extra}, {"older", d.Older}, {"different", d.Different}} {
		if len(part.names) > 0 {
			parts = append(parts, part.what+": "+shortList(part.names))
		}
	}
	return strings.Join(parts, "; ")
}

// openedText tells of a vault that was opened.
func openedText(r verify.Result, severalKeys bool) string {
	text := count(r.Secrets, "secret")
	if severalKeys {
		text += ", opened by " + r.Key
	}
	if len(r.Lacks) > 0 {
		text += ", lacks " + shortList(r.Lacks)
	}
	return text
}
