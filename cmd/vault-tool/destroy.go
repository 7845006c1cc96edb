package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/beside"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/internal/traces"
	"github.com/mazevault/vault-tool/vaultfile"
)

type destroyOptions struct {
	versions []string
	yes      bool
}

type destroySummary struct {
	VaultFile string   `json:"vault_file"`
	Names     []string `json:"names"`
	Versions  []uint64 `json:"versions"` // empty: all of them
	ETag      string   `json:"etag"`

	removed   bool           // the present value was among the versions
	elsewhere []traces.Place // where else the vault has the same values
}

func newDestroyCommand(a *app) *cobra.Command {
	var o destroyOptions
	cmd := &cobra.Command{
		Use:   "destroy NAME… [--version N]…",
		Short: "Erase values from the vault and its history for good",
		Long: `Erase values for good: without --version all values of the secrets, the current ones too, so that the secrets
are removed. The numbers of the versions stay, with who wrote them and when.

Copies of the vault that were made before are out of reach: backups, FILE.bak, snapshots of the disk.

On a terminal it asks first, unless --yes is given.`,
		Example:           "  vault-tool destroy OLD_TOKEN\n  vault-tool destroy SMTP_PASSWORD --version 3 --version 4 --yes",
		ValidArgsFunction: a.completeNames,
		Args:              someNames,
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error { return a.runDestroy(ctx, o, args) })
	cmd.Flags().StringArrayVar(&o.versions, "version", nil, "only the value of version `N` (repeatable)")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	a.addNames(cmd)
	a.addIfMatch(cmd)
	a.addScope(cmd)
	return cmd
}

func (a *app) runDestroy(ctx context.Context, o destroyOptions, args []string) error {
	names, err := a.fullNames(args)
	if err != nil {
		return err
	}
	s := destroySummary{VaultFile: a.vaultPath(), Names: names, Versions: []uint64{}}
	for _, text := range o.versions {
		n, err := parseVersion("--version", text)
		if err != nil {
			return err
		}
		s.Versions = append(s.Versions, n)
	}
	if len(names) > 1 && len(s.Versions) > 0 {
		return badInput("give the name of one secret", "--version is about the versions of one secret")
	}
	if err := a.confirmDestroy(ctx, o, names); err != nil {
		return err
	}
	var written vaultfile.Written
	err = leftUnchanged(a.withUnlocker(ctx, func(u *vaultfile.Unlocker) (err error) {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("destroy")}
		written, err = vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) error {
			if err := s.lookAround(d.Before()); err != nil {
				return err
			}
			for _, name := range names {
				if err := a.destroy(d, name, s.Versions); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	}))
	if err != nil {
		return err
	}
	s.ETag = written.ETag
	a.reportDestroy(s)
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

func (a *app) destroy(d *vaultfile.Draft, name string, versions []uint64) error {
	if d.Before().Keeps().Keep == 0 && len(versions) == 0 { // there is the current value, and nothing else
		if err := d.Delete(name); err != nil {
			return fmt.Errorf("%s: %w", a.vaultPath(), err)
		}
		return nil
	}
	err := d.Destroy(name, versions...)
	if errors.Is(err, vaultfile.ErrNotFound) {
		return a.notInHistory(d.Before(), name, err)
	}
	return err
}

// lookAround finds the same values elsewhere in the vault, and out whether a secret goes with its present value.
func (s *destroySummary) lookAround(v *vaultfile.Vault) (err error) {
	s.removed, s.elsewhere = false, nil // the draft may be a second one
	if v == nil {
		return nil
	}
	present := uint64(0)
	if len(s.Versions) > 0 {
		if h, err := v.History(s.Names[0]); err == nil && h.Exists() {
			present = h.Last().Number
		}
		s.removed = present > 0 && slices.Contains(s.Versions, present)
	}
	s.elsewhere, err = traces.Elsewhere(v, func(p traces.Place) bool {
		switch {
		case !slices.Contains(s.Names, p.Name):
			return false
		case len(s.Versions) == 0:
			return true
		case p.Version == 0:
			return s.removed
		}
		return slices.Contains(s.Versions, p.Version)
	})
	return err
}

// confirmDestroy asks on a terminal.
func (a *app) confirmDestroy(ctx context.Context, o destroyOptions, names []string) error {
	if o.yes || !terminal.Is(a.stdin) {
		return nil
	}
	what := "all values of " + join(names)
	if len(o.versions) > 0 {
		what = "the values of versions " + join(o.versions) + " of " + join(names)
	}
	a.interrupts.catch()
	a.ask("This erases " + printable(what) + " from " + printable(a.vaultPath()) + " for good. Type yes to go on:")
	answer, err := a.readInputLine(ctx)
	if err != nil {
		return err
	}
	if answer != "yes" {
		return &failure{code: exitFailed, err: errors.New("not confirmed"), hint: nothingChanged}
	}
	return nil
}

// reportDestroy says what is erased, and which copies are not.
func (a *app) reportDestroy(s destroySummary) {
	if len(s.Versions) > 0 {
		numbers := make([]string, len(s.Versions))
		for i, n := range s.Versions {
			numbers[i] = fmt.Sprint(n)
		}
		a.note("erased version %s of %s from %s", join(numbers), join(s.Names), s.VaultFile)
	} else {
		a.note("erased all values of %s from %s", join(s.Names), s.VaultFile)
	}
	if s.removed {
		a.note("That was the present value too, so there is no secret %s any more.", join(s.Names))
	}
	if len(s.elsewhere) > 0 {
		var places []string
		for _, p := range s.elsewhere {
			place := p.Name
			if p.Version > 0 {
				place += fmt.Sprintf(" (version %d)", p.Version)
			}
			places = append(places, place)
		}
		a.warn("the vault still holds the same values at: %s; erase them there too: vault-tool destroy NAME", shortList(places))
	}
	copies := "backups and snapshots of the file"
	if backups := existingBackups(s.VaultFile); len(backups) > 0 {
		copies += ", and " + join(backups)
	}
	a.note("Copies made before may still hold them: %s.", copies)
}

// existingBackups are the copies that encrypt and restore have kept beside a vault, or beside the file that its path leads to.
func existingBackups(vault string) []string {
	files, err := beside.List(vault, "")
	if err != nil { // where the directory cannot be read nobody can say
		return nil
	}
	var found []string
	for _, f := range files {
		if f.Kind == beside.Backup || f.Kind == beside.DatedBackup {
			found = append(found, f.Path)
		}
	}
	return found
}
