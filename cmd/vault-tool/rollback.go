package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/vaultfile"
)

type rollbackOptions struct {
	to     string
	all    bool
	dryRun bool
}

type rollbackSummary struct {
	VaultFile string   `json:"vault_file"`
	DryRun    bool     `json:"dry_run"`
	Restored  []string `json:"restored"` // names that got an earlier value
	Removed   []string `json:"removed"`  // names that did not exist then
	Version   uint64   `json:"version,omitempty"`
	ETag      string   `json:"etag,omitempty"`

	written vaultfile.Written
}

func newRollbackCommand(a *app) *cobra.Command {
	var o rollbackOptions
	cmd := &cobra.Command{
		Use:   "rollback {NAME [--to N] | --all --to TIME}",
		Short: "Make an earlier value current again",
		Long: `Make the value of an earlier version of a secret the current one, as a new version; without --to that of the
version before. The values in between stay in the history.

With --all the whole vault becomes what it was at a time: secrets get the values that they had then, and
those that did not exist are removed. TIME is a date, a date and time, or an age such as 90m, 12h or 3d.
Where the history cannot tell what a secret was, the names are listed and nothing is changed.`,
		Example: `  vault-tool rollback SMTP_PASSWORD
  vault-tool rollback SMTP_PASSWORD --to 3
  vault-tool rollback --all --to '2026-05-01 08:00' --dry-run`,
		ValidArgsFunction: a.completeOneName,
	}
	cmd.Args = func(_ *cobra.Command, args []string) error {
		switch {
		case o.all && len(args) > 0:
			return errors.New("give a name or --all, not both")
		case o.all && o.to == "":
			return errors.New("missing: --to TIME")
		case !o.all && len(args) != 1:
			return fmt.Errorf("give the name of one secret, or --all (%d arguments were given)", len(args))
		case !o.all && o.dryRun:
			return errors.New("--dry-run is for --all")
		}
		return nil
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error {
		if o.all {
			return a.runRollbackAll(ctx, o)
		}
		return a.runRollback(ctx, o, args[0])
	})
	a.addNames(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "the `VERSION` to go back to; with --all a time")
	flags.BoolVar(&o.all, "all", false, "the whole vault, or with --scope all of the scope")
	flags.BoolVar(&o.dryRun, "dry-run", false, "with --all: only report what would be done")
	a.addIfMatch(cmd)
	a.addScope(cmd)
	return cmd
}

func (a *app) runRollback(ctx context.Context, o rollbackOptions, name string) error {
	names, err := a.fullNames([]string{name})
	if err != nil {
		return err
	}
	var to uint64
	if o.to != "" {
		if to, err = parseVersion("--to", o.to); err != nil {
			return err
		}
	}
	s := rollbackSummary{VaultFile: a.vaultPath(), Restored: []string{}, Removed: []string{}}
	err = a.changeHistory(ctx, "rollback", &s.written, func(d *vaultfile.Draft) error {
		h, err := d.Before().History(names[0])
		if errors.Is(err, vaultfile.ErrNotFound) {
			return a.notInHistory(d.Before(), names[0], err)
		}
		if err != nil {
			return err
		}
		if s.Version, err = rollbackTarget(h, to); err != nil {
			return &failure{code: exitNotFound, kind: kindOf(err, exitNotFound), err: err, hint: "the versions and what there is of them: vault-tool history " + names[0]}
		}
		return d.Before().UseVersion(names[0], s.Version, func(value []byte) error {
			outcome, err := d.Set(names[0], value)
			if outcome != vaultfile.Unchanged {
				s.Restored = append(s.Restored, names[0])
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	if s.ETag = s.written.ETag; len(s.Restored) == 0 {
		a.note("%s has the value of version %d already", names[0], s.Version)
	} else {
		a.note("%s in %s has the value of version %d again", names[0], s.VaultFile, s.Version)
	}
	a.noteHistory(s.written, "the value until now is kept: vault-tool history "+names[0])
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

// changeHistory is Update for a command that goes by the history, which there has to be.
func (a *app) changeHistory(ctx context.Context, command string, written *vaultfile.Written, change func(*vaultfile.Draft) error) error {
	return leftUnchanged(a.withUnlocker(ctx, func(u *vaultfile.Unlocker) (err error) {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions(command)}
		*written, err = vaultfile.Update(ctx, a.vaultPath(), u, update, func(d *vaultfile.Draft) error {
			if d.Before().Keeps().Keep == 0 {
				return fmt.Errorf("%s: %w", a.vaultPath(), vaultfile.ErrNoHistory)
			}
			return change(d)
		})
		return err
	}))
}

func parseVersion(flag, text string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "v"), 10, 63)
	if err != nil || n == 0 {
		return 0, badInput("vault-tool history NAME lists the versions", "%s takes the number of a version", flag)
	}
	return n, nil
}

// rollbackTarget is the version to go back to: the one that is asked for, else the last one before the present whose value is kept.
func rollbackTarget(h vaultfile.History, asked uint64) (uint64, error) {
	for i := len(h.Versions) - 1; i >= 0; i-- {
		v := h.Versions[i]
		switch {
		case asked != 0 && v.Number != asked:
		case asked != 0 && v.State != vaultfile.VersionKept && v.State != vaultfile.VersionCurrent:
			return 0, fmt.Errorf("%w: version %d of %s has no value: it is %s", vaultfile.ErrNotFound, asked, h.Name, v.State)
		case asked != 0 || v.State == vaultfile.VersionKept:
			return v.Number, nil
		}
	}
	if asked != 0 {
		return 0, fmt.Errorf("%w: %s has no version %d", vaultfile.ErrNotFound, h.Name, asked)
	}
	return 0, fmt.Errorf("%w: no earlier value of %s is kept", vaultfile.ErrNotFound, h.Name)
}

func (a *app) runRollbackAll(ctx context.Context, o rollbackOptions) error {
	to, err := parsePast("--to", o.to, time.Now())
	if err != nil {
		return err
	}
	s := rollbackSummary{VaultFile: a.vaultPath(), DryRun: o.dryRun, Restored: []string{}, Removed: []string{}}
	change := func(d *vaultfile.Draft) error { return a.restoreAll(d, to, &s) }
	if o.dryRun {
		err = a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
			update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("rollback")}
			return vaultfile.Rehearse(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) error {
				if d.Before().Keeps().Keep == 0 {
					return fmt.Errorf("%s: %w", a.vaultPath(), vaultfile.ErrNoHistory)
				}
				return change(d)
			})
		})
	} else {
		err = a.changeHistory(ctx, "rollback", &s.written, change)
	}
	if err != nil {
		return err
	}
	s.ETag = s.written.ETag
	return a.reportRollback(s)
}

// restoreAll makes the secrets what they were at a time. Where that is not known of one, it is an error that names all of them.
func (a *app) restoreAll(d *vaultfile.Draft, to time.Time, s *rollbackSummary) error {
	all, err := eachAt(d.Before(), to, func(name string, value []byte, existed bool) error {
		_, ours := a.scope.Cut(name)
		switch {
		case !ours || !existed && !d.Has(name):
			return nil
		case !existed:
			s.Removed = append(s.Removed, name)
			return d.Delete(name)
		}
		outcome, err := d.Set(name, value)
		if err == nil && outcome != vaultfile.Unchanged {
			s.Restored = append(s.Restored, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	var unknown []string
	for _, name := range all {
		if _, ours := a.scope.Cut(name); ours {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return &failure{code: exitNotFound, err: fmt.Errorf("%s: the history does not have what these were at %s: %s", s.VaultFile, to.UTC().Format(timeLayout), join(unknown)),
			hint: nothingChanged + "; a backup of that time may have it, or go back with: vault-tool rollback NAME --to VERSION"}
	}
	return nil
}

func (a *app) reportRollback(s rollbackSummary) error {
	if a.json {
		return a.printJSON(s)
	}
	var out bytes.Buffer
	would := ""
	if s.DryRun {
		would = "would be "
	}
	group(&out, s.Restored, would+"restored in "+printable(s.VaultFile))
	group(&out, s.Removed, would+"removed from "+printable(s.VaultFile)+", for they did not exist")
	if len(s.Restored)+len(s.Removed) == 0 {
		fmt.Fprintf(&out, "nothing to do in %s: all is as it was then\n", printable(s.VaultFile))
	}
	if err := a.tellReport(out.Bytes(), s.DryRun); err != nil || s.DryRun {
		return err
	}
	a.noteHistory(s.written, "the values until now are kept: vault-tool history")
	return nil
}

// timeForms are how a time can be given, in local time where no zone stands behind it.
var timeForms = []string{
	time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
}

// parsePast reads a time that has been, or an age.
func parsePast(flag, text string, now time.Time) (time.Time, error) {
	for _, form := range timeForms {
		t, err := time.ParseInLocation(form, text, time.Local)
		switch {
		case err == nil && t.After(now):
			return time.Time{}, badInput("give a time that has been", "%s %q is in the future", flag, text)
		case err == nil:
			return t, nil
		}
	}
	age, err := parseAge(flag, text)
	if err != nil {
		return time.Time{}, badInput("for example 2026-05-01, '2026-05-01 08:00', 2026-05-01T08:00:00Z, or an age: 90m, 12h, 3d", "%s takes a time", flag)
	}
	return now.Add(-age), nil
}

// parseAge reads a duration that may be in days or weeks.
func parseAge(flag, text string) (time.Duration, error) {
	const day = 24 * time.Hour
	for suffix, unit := range map[string]time.Duration{"d": day, "w": 7 * day} {
		if number, ok := cutSuffix(text, suffix); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			if err == nil {
				return time.Duration(n) * unit, nil
			}
		}
	}
	if age, err := time.ParseDuration(text); err == nil && age >= 0 {
		return age, nil
	}
	return 0, badInput("for example 90d, 2w or 12h", "%s takes an age", flag)
}

// cutSuffix is strings.CutSuffix that wants something before the suffix.
func cutSuffix(text, suffix string) (string, bool) {
	before, ok := strings.CutSuffix(text, suffix)
	return before, ok && before != ""
}
