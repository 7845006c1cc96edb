package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/vaultfile"
)

type applyOptions struct {
	file   string // stdinName: standard input
	from   string
	prune  bool
	create bool
	dryRun bool
}

type applySummary struct {
	VaultFile string   `json:"vault_file"`
	DryRun    bool     `json:"dry_run"`
	Created   bool     `json:"vault_created"`
	Added     []string `json:"added"`
	Changed   []string `json:"changed"`
	Removed   []string `json:"removed"`
	Unchanged []string `json:"unchanged"`
	Skipped   []string `json:"skipped"`
	ETag      string   `json:"etag,omitempty"`

	written vaultfile.Written
}

// The forms that apply reads.
const (
	fromJSON   = "json"
	fromDotenv = "dotenv"
)

func newApplyCommand(a *app) *cobra.Command {
	o := applyOptions{file: stdinName}
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Make many changes at once, all or none",
		Long: `Change many secrets at once. The changes are a JSON object (a JSON Merge Patch, RFC 7396) of names to
strings, to null for a secret that is to be removed, or to {"ref": "…"} for what link takes. They come from standard input or from a file; -
is standard input too.

All changes are made under one lock and with one key derivation, or none is. Where there is nothing to
do, nothing is written.

With --from dotenv the input has lines as in a .env file, read as migrate-env reads them; every variable
is taken, and one that is set to nothing is skipped. With --prune, what the input does not name is
removed.`,
		Example: `  echo '{"SMTP_USERNAME": "mailer", "OLD_TOKEN": null}' | vault-tool apply
  vault-tool apply --create changes.json --dry-run
  vault-tool apply --from dotenv --scope acme < acme.env`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return errors.New("give one file; a value is never an argument, it comes from standard input or the file")
			}
			return nil
		},
	}
	cmd.RunE = a.flushedAction(func(ctx context.Context, args []string) error {
		if len(args) > 0 {
			o.file = args[0]
		}
		return a.runApply(ctx, o)
	})
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", fromJSON, "the `FORM` of the input: json or dotenv")
	flags.BoolVar(&o.prune, "prune", false, "remove what the input does not name; with --scope, of that scope")
	flags.BoolVar(&o.create, "create", false, "create the vault if there is none")
	flags.BoolVar(&o.dryRun, "dry-run", false, "only report what would be done")
	a.addIfMatch(cmd)
	a.addScope(cmd)
	_ = cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions([]string{fromJSON, fromDotenv}, cobra.ShellCompDirectiveNoFileComp)) // fails for an unknown flag only
	return cmd
}

func (a *app) runApply(ctx context.Context, o applyOptions) error {
	if o.from != fromJSON && o.from != fromDotenv {
		return badInput("", "--from takes json or dotenv")
	}
	if err := refuseSameFile(a.vaultPath(), a.keyPath()); err != nil {
		return err
	}
	form := "JSON object of names to strings"
	if o.from == fromDotenv {
		form = ".env file"
	}
	input, err := a.readChanges(ctx, o.file, form)
	if err != nil {
		return err
	}
	defer input.Destroy()
	c, err := a.parseChanges(o, input)
	if err != nil {
		return leftUnchanged(err)
	}
	defer c.close()
	s := applySummary{
		VaultFile: a.vaultPath(), DryRun: o.dryRun,
		Added: []string{}, Changed: []string{}, Removed: []string{}, Unchanged: []string{}, Skipped: append([]string{}, c.skipped...),
	}
	update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("apply"), CreateMissing: o.create}
	change := func(d *vaultfile.Draft) error { return c.apply(a, d, o.prune, &s) }
	err = a.withUnlocker(ctx, func(u *vaultfile.Unlocker) (err error) {
		if o.dryRun {
			return vaultfile.Rehearse(ctx, s.VaultFile, u, update, change)
		}
		s.written, err = vaultfile.Update(ctx, s.VaultFile, u, update, change)
		return err
	})
	if errors.Is(err, vaultfile.ErrNotExist) {
		return withCreateHint(err)
	}
	if err != nil {
		return leftUnchanged(err)
	}
	s.ETag = s.written.ETag
	return a.reportApply(s)
}

// withCreateHint is the failure of a command with --create for which there is no vault.
func withCreateHint(err error) error {
	return &failure{code: exitNotFound, err: err, hint: "check --vault-file and " + vaultFileEnv + ", or make a new vault with: --create"}
}

// changes are what apply is to do, in the order of names.
type changes struct {
	all     []nameChange
	skipped []string // set to nothing in a .env file
	values  lockedmem.Arena
}

// nameChange gives a secret a value, or with nil removes it.
type nameChange struct {
	name      string
	value     []byte
	reference *referent // in the place of a value, or nil
}

func (c *changes) close() { c.values.Destroy() }

func (a *app) parseChanges(o applyOptions, input *lockedmem.Buffer) (*changes, error) {
	c := &changes{}
	if o.from == fromDotenv {
		var err error
		erase.Do(func() { err = c.parseDotenv(inputName(o.file), input.Bytes()) }) // the parsers make strings of the values
		erase.Flush()
		if err != nil {
			c.close()
			return nil, err
		}
		return c, nil
	}
	patch, err := vaultfile.ParseReferencePatch(bytes.TrimPrefix(input.Bytes(), []byte(utf8BOM)))
	if err != nil {
		return nil, patchError(inputName(o.file), err)
	}
	return c, patch.Each(func(name string, value []byte) error {
		change := nameChange{name: name, value: value}
		if patch.IsReference(name) {
			target, err := parseReferent(string(value), "")
			if err != nil {
				return fmt.Errorf("%s: %s: %w", inputName(o.file), name, err)
			}
			change.reference = &target
		}
		c.all = append(c.all, change)
		return nil
	})
}

// patchError adds exit code and hint to an error about the JSON of changes.
func patchError(file string, err error) error {
	var payload *vaultfile.PayloadError
	if errors.As(err, &payload) {
		return badInput(`expected one JSON object of names to strings, or to null: {"NAME": "value", "OLD": null}, or to a reference: {"ref": "…"}; nothing was written`, "%s: %w", file, payload)
	}
	return fmt.Errorf("%s: %w", file, err)
}

// parseDotenv takes every variable that the lines set. A line that cannot be read with certainty is an error.
func (c *changes) parseDotenv(fileName string, source []byte) error {
	file, err := dotenv.Parse(source, dotenv.Strict)
	if err != nil {
		return badInput(nothingChanged, "%s: %w", fileName, err)
	}
	defer file.Wipe()
	var problems []error
	for i := range file.Entries {
		if e := &file.Entries[i]; e.Stray || e.Name == "" {
			problems = append(problems, fmt.Errorf("line %d is no assignment", e.Line))
		}
	}
	for e := range file.Effective() {
		switch nameErr := vaultfile.ValidateName(e.Name); {
		case e.Stray:
		case e.Err != nil:
			problems = append(problems, e.Err)
		case e.Cut:
			problems = append(problems, fmt.Errorf("line %d, %s: the value seems to go on below, but is not in quotes", e.Line, e.Name))
		case nameErr != nil:
			problems = append(problems, fmt.Errorf("line %d: %w", e.Line, nameErr))
		case len(e.Value) == 0:
			c.skipped = append(c.skipped, e.Name)
		default:
			value, err := c.values.Copy(e.Value)
			if err != nil {
				return err
			}
			c.all = append(c.all, nameChange{name: e.Name, value: value})
		}
	}
	if err := errors.Join(problems...); err != nil {
		return badInput("correct the lines; nothing was written", "%s: %w", fileName, err)
	}
	return nil
}

// apply makes the changes, and notes what became of each.
func (c *changes) apply(a *app, d *vaultfile.Draft, prune bool, s *applySummary) error {
	s.Created = d.New()
	named := make(map[string]bool, len(c.all))
	for _, change := range c.all {
		full := a.scope.Name(change.name)
		named[full] = true
		if err := vaultfile.ValidateName(full); err != nil {
			return err
		}
		outcome := vaultfile.Unchanged
		var err error
		switch {
		case change.reference != nil:
			if _, outcome, err = change.reference.link(d, full); err != nil {
				err = fmt.Errorf("%s: %w", change.name, a.inVault(err))
			}
		case change.value != nil:
			outcome, err = d.Set(full, change.value)
		case d.Has(full):
			s.Removed = append(s.Removed, change.name)
			if err := d.Delete(full); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		switch outcome {
		case vaultfile.Added:
			s.Added = append(s.Added, change.name)
		case vaultfile.Updated:
			s.Changed = append(s.Changed, change.name)
		default:
			s.Unchanged = append(s.Unchanged, change.name)
		}
	}
	if !prune {
		return nil
	}
	for _, skipped := range c.skipped { // it is named, if without a value
		named[a.scope.Name(skipped)] = true
	}
	for _, full := range d.Names() {
		name, ok := a.scope.Cut(full)
		if !ok || named[full] {
			continue
		}
		if err := d.Delete(full); err != nil {
			return err
		}
		s.Removed = append(s.Removed, name)
	}
	return nil
}

func (a *app) reportApply(s applySummary) error {
	if a.json {
		return a.printJSON(s)
	}
	var out bytes.Buffer
	vault, would := printable(s.VaultFile), ""
	if s.DryRun {
		would = "would be "
	}
	if s.Created {
		fmt.Fprintf(&out, "%screated: %s\n", would, vault)
	}
	group(&out, s.Added, would+"added to "+vault)
	group(&out, s.Changed, would+"changed in "+vault)
	group(&out, s.Removed, would+"removed from "+vault)
	group(&out, s.Unchanged, "unchanged")
	group(&out, s.Skipped, "skipped, set to nothing")
	if len(s.Added)+len(s.Changed)+len(s.Removed) == 0 && !s.Created {
		fmt.Fprintf(&out, "nothing to do in %s\n", vault)
	}
	if err := a.tellReport(out.Bytes(), s.DryRun); err != nil || s.DryRun {
		return err
	}
	a.noteHistory(s.written, "the old values are kept: vault-tool history NAME")
	return nil
}
