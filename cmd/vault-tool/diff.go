package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/difference"
	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/internal/selection"
)

type diffOptions struct {
	selection.Selection
	at        string // a time, "" if none
	revision  string // of a folder, "" if none
	withScope string
	exitCode  bool
}

type diffSummary struct {
	From      diffSide `json:"from"`
	To        diffSide `json:"to"`
	Differ    bool     `json:"differ"`
	Added     []string `json:"added"`
	Removed   []string `json:"removed"`
	Changed   []string `json:"changed"`
	Unknown   []string `json:"unknown"` // names of which the history cannot tell what they were
	Unchanged int      `json:"unchanged"`
}

const withScopeFlag = "with-scope"

func newDiffCommand(a *app) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff [A] [B]",
		Short: "Show which secrets differ, without values",
		Long: `Show how the secrets of B differ from those of A, a line a name: '+' was added, '-' was removed, '~' has
another value. Nothing of a value is shown, not even its length. A and B are vaults or .env files; without
B it is the vault of the command line. Vaults may be under several keys, each given with --key-file.

With --at TIME a vault is compared with what it was then, as its history has it: a date, a date and time, or
an age such as 90m, 12h or 3d; '?' is a name of which the history cannot tell. --revision takes the number
of a revision of the folder instead, as history --json lists it. With --with-scope T the first is seen as
--scope S, and the second as T. A .env file is in no scope: secrets with a '/' in the name are not compared
with one. What it sets to nothing counts as missing.`,
		Example: `  vault-tool diff /backup/secrets.vault.20260419
  vault-tool diff .env --only '*_PASSWORD'
  vault-tool diff --at 7d --exit-code
  vault-tool diff --scope staging --with-scope prod`,
		Args: func(_ *cobra.Command, args []string) error { return o.check(args) },
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error { return a.runDiff(ctx, o, args) })
	flags := cmd.Flags()
	flags.StringVar(&o.at, "at", "", "compare the vault with what it was at a `TIME`")
	flags.StringVar(&o.revision, "revision", "", "compare the folder of the scope with what it was at revision `N`")
	flags.StringVar(&o.withScope, withScopeFlag, "", "the second is the secrets below `PATH`/")
	flags.StringArrayVar(&o.Only, "only", nil, "only the secrets that match `GLOB` (repeatable)")
	flags.StringArrayVar(&o.Except, "except", nil, "not the secrets that match `GLOB` (repeatable)")
	flags.BoolVar(&o.exitCode, "exit-code", false, "end with 6 where they differ")
	a.addReadScope(cmd)
	a.addKeyFiles(cmd)
	return cmd
}

// check refuses what cannot be compared.
func (o diffOptions) check(args []string) error {
	past := o.at != "" || o.revision != ""
	switch {
	case len(args) > 2:
		return fmt.Errorf("give two files at most (%d arguments were given)", len(args))
	case o.at != "" && o.revision != "":
		return errors.New("not both: --at or --revision")
	case past && len(args) > 1:
		return errors.New("--at and --revision compare one vault with itself; give one file at most")
	case past && o.withScope != "":
		return errors.New("not both: --with-scope, or --at or --revision")
	case !past && o.withScope == "" && len(args) == 0:
		return badInput("vault-tool diff BACKUP; vault-tool diff --at 7d; vault-tool diff --scope S --with-scope T", "nothing to compare the vault with")
	case len(args) == 2 && args[0] == stdinName && args[1] == stdinName:
		return errors.New("standard input can be read once only")
	}
	return nil
}

// checkDiff refuses what the flags cannot mean, and reads the time or the revision.
func (a *app) checkDiff(o diffOptions) (past moment, err error) {
	if err := globError(o.Validate()); err != nil {
		return moment{}, err
	}
	if o.withScope != "" {
		if err := scope.Validate(o.withScope); err != nil {
			return moment{}, badInput(scopeHint, "--%s: %w", withScopeFlag, err)
		}
	}
	switch {
	case o.at != "":
		past.at, err = parsePast("--at", o.at, time.Now())
	case o.revision != "" && a.scope.Inherit:
		err = badInput("leave --inherit out", "--revision is of one folder")
	case o.revision != "":
		past.revision, err = parseVersion("--revision", o.revision)
	}
	return past, err
}

func (a *app) runDiff(ctx context.Context, o diffOptions, args []string) error {
	past, err := a.checkDiff(o)
	if err != nil {
		return err
	}
	c := &comparing{app: a, past: past}
	defer c.close()
	if err := c.choose(args, o.withScope); err != nil {
		return err
	}
	if err := c.readEnvFiles(ctx); err != nil {
		return err
	}
	compare := func() error {
		pause("open")
		s, err := c.compare(o)
		if err != nil {
			return err
		}
		return a.tellDiff(o, s)
	}
	if !c.needsKey() {
		return compare()
	}
	return a.withKeys(ctx, func(keys *keyring.Keyring) error {
		if err := c.openVaults(ctx, keys); err != nil {
			return err
		}
		return compare()
	})
}

// compare looks at the secrets that are chosen.
func (c *comparing) compare(o diffOptions) (diffSummary, error) {
	if c.from.Form == formDotenv || c.to.Form == formDotenv { // no line of a .env file could have a '/' in its name
		c.from.secrets, c.to.secrets = folderOnly{c.from.secrets}, folderOnly{c.to.secrets}
	}
	names := slices.Concat(c.from.secrets.Names(), c.to.secrets.Names(), c.unknown)
	if err := c.checkSelection(o.Selection, names); err != nil {
		return diffSummary{}, err
	}
	known := func(name string) bool {
		_, unknown := slices.BinarySearch(c.unknown, name)
		return !unknown && o.Has(name)
	}
	d, err := difference.Of(c.from.secrets, c.to.secrets, known)
	if err != nil {
		return diffSummary{}, err
	}
	s := diffSummary{
		From: c.from.diffSide, To: c.to.diffSide,
		Added: d.Added, Removed: d.Removed, Changed: d.Changed, Unchanged: d.Same, Unknown: o.Names(c.unknown),
	}
	s.Differ = d.Any() || len(s.Unknown) > 0
	return s, nil
}

// tellDiff prints what differs.
func (a *app) tellDiff(o diffOptions, s diffSummary) error {
	if err := a.printDiff(s); err != nil {
		return err
	}
	if s.Differ && o.exitCode {
		return answer{exitConflict}
	}
	return nil
}

func (a *app) printDiff(s diffSummary) error {
	if a.json {
		return a.printJSON(s)
	}
	if err := a.print(diffLines(s)); err != nil {
		return err
	}
	a.note("%s", s.sentence())
	if len(s.Unknown) > 0 {
		a.warn("the history does not have what %s at that time; a backup may", were(len(s.Unknown)))
	}
	return nil
}

func were(n int) string {
	if n == 1 {
		return "one secret was"
	}
	return count(n, "secret") + " were"
}

// diffLines has a line for each name that differs, in the order of names.
func diffLines(s diffSummary) []byte {
	type line struct{ name, mark string }
	var lines []line
	for _, list := range []struct {
		mark  string
		names []string
	}{{"+", s.Added}, {"-", s.Removed}, {"~", s.Changed}, {"?", s.Unknown}} {
		for _, name := range list.names {
			lines = append(lines, line{name, list.mark})
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.name, b.name) })
	var out bytes.Buffer
	for _, l := range lines {
		fmt.Fprintf(&out, "%s %s\n", l.mark, printable(l.name))
	}
	return out.Bytes()
}

// sentence says how many differ.
func (s diffSummary) sentence() string {
	if !s.Differ {
		return fmt.Sprintf("no difference between %s and %s: %s", s.From.name(), s.To.name(), count(s.Unchanged, "secret"))
	}
	parts := []string{fmt.Sprintf("%d added", len(s.Added)), fmt.Sprintf("%d removed", len(s.Removed)), fmt.Sprintf("%d changed", len(s.Changed))}
	if len(s.Unknown) > 0 {
		parts = append(parts, fmt.Sprintf("%d unknown", len(s.Unknown)))
	}
	return fmt.Sprintf("from %s to %s: %s, %d the same", s.From.name(), s.To.name(), strings.Join(parts, ", "), s.Unchanged)
}
