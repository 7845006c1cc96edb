package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/vaultfile"
)

type undeleteSummary struct {
	VaultFile string   `json:"vault_file"`
	Restored  []string `json:"restored"`
	ETag      string   `json:"etag"`
}

func newUndeleteCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "undelete NAME…",
		Short: "Give removed secrets back, all of them or none",
		Long: `Give secrets back that were removed, with the values that they had last. If the history has no value of one of
them, or one exists, nothing is changed.`,
		Example: "  vault-tool undelete SMTP_PASSWORD",
		Args:    someNames,
	}
	cmd.RunE = a.action(a.runUndelete)
	a.addNames(cmd)
	a.addIfMatch(cmd)
	a.addScope(cmd)
	return cmd
}

func (a *app) runUndelete(ctx context.Context, args []string) error {
	names, err := a.fullNames(args)
	if err != nil {
		return err
	}
	s := undeleteSummary{VaultFile: a.vaultPath(), Restored: []string{}}
	var written vaultfile.Written
	err = a.changeHistory(ctx, "undelete", &written, func(d *vaultfile.Draft) error {
		for _, name := range names {
			if err := a.undelete(d, name); err != nil {
				return err
			}
			s.Restored = append(s.Restored, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.ETag = written.ETag
	a.note("restored %s in %s", join(s.Restored), s.VaultFile)
	a.noteHistory(written, "")
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

func (a *app) undelete(d *vaultfile.Draft, name string) error {
	if d.Before().Has(name) {
		return existsAlready("an earlier value comes back with: vault-tool rollback "+name, "%s exists in %s; %s", name, a.vaultPath(), nothingChanged)
	}
	h, err := d.Before().History(name)
	if errors.Is(err, vaultfile.ErrNotFound) {
		return a.notInHistory(d.Before(), name, err)
	}
	if err != nil {
		return err
	}
	version, err := rollbackTarget(h, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", a.vaultPath(), err)
	}
	return d.Before().UseVersion(name, version, func(value []byte) error {
		_, err := d.Set(name, value)
		return err
	})
}
