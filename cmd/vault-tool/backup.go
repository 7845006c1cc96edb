package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/backups"
	"github.com/mazevault/vault-tool/internal/owner"
	"github.com/mazevault/vault-tool/vaultfile"
)

type backupOptions struct {
	to            string
	policy        backups.Policy
	skipUnchanged bool
	withKeyTo     string
}

func newBackupCommand(a *app) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use:   "backup --to DIR",
		Short: "Copy the vault into a directory of backups",
		Long: `Copy the vault to DIR/VAULT.YYYYMMDDTHHMMSSZ (UTC), with mode 0600. The vault has to open with the key, and
the copy is read back, opened and compared before it gets its name. DIR has to be there: one that is made
where a disk is not mounted would be no backup.

With --keep and its like old backups of that vault go, once the new one is in place. What any of the rules
keeps stays: --keep the last ones; --keep-daily the newest of each of the last days that have one, likewise
--keep-weekly and --keep-monthly; and the oldest, while such a rule could keep more. The newest stays always.
Only files with names that this command gives are ever removed.

The key does not go with the vault: both together open it. --with-key-to copies it to another place, if it is
not there yet, and never removes one.`,
		Example: `  vault-tool backup --to /backup --keep-daily 7 --keep-weekly 4
  vault-tool backup --to /backup --skip-unchanged --with-key-to /media/key-stick`,
		Args: noArgumentsBut("the directory is given with --to"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, flag := range []string{"keep", "keep-daily", "keep-weekly", "keep-monthly"} {
				if n, _ := cmd.Flags().GetInt(flag); n < 1 && cmd.Flags().Changed(flag) { // it is an int
					return badInput("leave it out to keep none by that rule; without any all are kept", "--%s takes a number from 1", flag)
				}
			}
			return a.action(func(ctx context.Context, _ []string) error { return a.runBackup(ctx, o) })(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "the directory `DIR` of the backups")
	flags.IntVar(&o.policy.Last, "keep", 0, "keep the last `N` backups")
	flags.IntVar(&o.policy.Daily, "keep-daily", 0, "keep one of each of the last `N` days")
	flags.IntVar(&o.policy.Weekly, "keep-weekly", 0, "keep one of each of the last `N` weeks")
	flags.IntVar(&o.policy.Monthly, "keep-monthly", 0, "keep one of each of the last `N` months")
	flags.BoolVar(&o.skipUnchanged, "skip-unchanged", false, "make none where the last one is the vault as it is")
	flags.StringVar(&o.withKeyTo, "with-key-to", "", "copy the key to `OTHERDIR` too, which is not below DIR")
	_ = cmd.MarkFlagRequired("to") // fails for an unknown flag only
	_ = cmd.MarkFlagDirname("to")
	_ = cmd.MarkFlagDirname("with-key-to")
	return cmd
}

// backupSummary is what --json prints.
type backupSummary struct {
	VaultFile string            `json:"vault_file"`
	Outcome   vaultfile.Outcome `json:"outcome"` // Created or Unchanged
	Backup    string            `json:"backup"`
	Secrets   int               `json:"secrets"`
	ETag      string            `json:"etag"`
	Key       string            `json:"key,omitempty"`
	Removed   []string          `json:"removed"`
	Kept      int               `json:"kept"`
}

func (a *app) runBackup(ctx context.Context, o backupOptions) error {
	if err := checkDirectory("--to", o.to); err != nil {
		return err
	}
	if err := a.keepKeyApart(o); err != nil {
		return err
	}
	a.interrupts.catch()
	return a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		if err := a.proveOpen(ctx, u, o); err != nil { // before anybody waits for this process
			return err
		}
		dir, err := a.holdBackups(ctx, o.to)
		if err != nil {
			return err
		}
		defer dir.Release()
		now := a.clock()
		s := backupSummary{VaultFile: a.vaultPath(), Removed: []string{}}
		if o.withKeyTo != "" {
			if s.Key, err = a.backUpKey(ctx, o.withKeyTo, now); err != nil {
				return err
			}
		}
		made, err := a.backUpVault(ctx, u, dir, o, now, &s)
		if err != nil {
			return notBackedUp(err, s.Key)
		}
		return a.pruneBackups(ctx, dir, o, made, s)
	})
}

// notBackedUp says what stands after a failure.
func notBackedUp(err error, key string) error {
	if key == "" {
		return leftUnchanged(err)
	}
	o := describe(err)
	return &failure{code: o.code, kind: o.kind, err: err, hint: strings.TrimSuffix("the key is in "+key+", but the vault is not backed up; "+o.hint, "; ")}
}

// proveOpen opens the vault: what cannot be opened is no backup, and takes the place of none.
func (a *app) proveOpen(ctx context.Context, u *vaultfile.Unlocker, o backupOptions) error {
	v, err := vaultfile.Open(ctx, a.vaultPath(), u)
	if err != nil {
		return err
	}
	v.Close()
	if o.withKeyTo != "" && a.toldSuccessor {
		return conflict(nothingChanged+"; finish the rotation first, or leave out --with-key-to", "the vault does not open with %s, so a copy of that is no use", a.keyName())
	}
	return nil
}

// holdBackups locks a directory of backups.
func (a *app) holdBackups(ctx context.Context, path string) (*backups.Directory, error) {
	dir, locked, err := backups.Hold(ctx, path, a.lockTimeout)
	if errors.Is(err, vaultfile.ErrLockTimeout) {
		return nil, &failure{code: exitBusy, err: err, hint: nothingChanged + "; another backup to that directory is under way: try again, or wait longer with --lock-timeout"}
	}
	if err == nil && !locked {
		a.verboseNote("the file system of %s cannot lock directories", path)
	}
	return dir, err
}

// backUpVault makes a backup, or finds that the last one will do.
func (a *app) backUpVault(ctx context.Context, u *vaultfile.Unlocker, dir *backups.Directory, o backupOptions, now time.Time, s *backupSummary) (backups.Backup, error) {
	name := filepath.Base(a.vaultPath())
	_ = dir.Sweep(name) // what it cannot remove does not stand in the way
	if o.skipUnchanged {
		last, err := a.lastIfSame(ctx, u, dir, name, s)
		if err != nil || last.Name != "" {
			return last, err
		}
	}
	b, err := dir.Next(name, now)
	if err != nil {
		return backups.Backup{}, err
	}
	copied, err := vaultfile.Copy(ctx, a.vaultPath(), u, dir.Path(b))
	s.Outcome, s.Backup, s.Secrets, s.ETag = vaultfile.Created, dir.Path(b), copied.Secrets, copied.ETag
	return b, err
}

// lastIfSame returns the last backup if it is the vault as it is, and can be opened.
func (a *app) lastIfSame(ctx context.Context, u *vaultfile.Unlocker, dir *backups.Directory, name string, s *backupSummary) (backups.Backup, error) {
	present, err := dir.List(name)
	if err != nil || len(present) == 0 {
		return backups.Backup{}, err
	}
	last := present[0]
	now, err := vaultfile.ETag(a.vaultPath())
	if err != nil {
		return backups.Backup{}, err
	}
	if was, err := vaultfile.ETag(dir.Path(last)); err != nil || was != now {
		return backups.Backup{}, nil // then a new one is made
	}
	v, err := vaultfile.Open(ctx, dir.Path(last), u)
	if err != nil {
		return backups.Backup{}, err
	}
	defer v.Close()
	s.Outcome, s.Backup, s.Secrets, s.ETag = vaultfile.Unchanged, dir.Path(last), v.Len(), now
	return last, nil
}

// pruneBackups removes old backups and reports.
func (a *app) pruneBackups(ctx context.Context, dir *backups.Directory, o backupOptions, made backups.Backup, s backupSummary) error {
	own := &ownBackups{app: a, ctx: ctx, made: dir.Path(made)}
	defer own.close()
	pruned, pruneErr := dir.Prune(filepath.Base(a.vaultPath()), o.policy, made, own.is)
	s.Removed = append(s.Removed, pruned.Removed...)
	s.Kept = pruned.Kept
	if s.Outcome == vaultfile.Unchanged {
		a.note("%s is %s as it is; no new backup is needed", s.Backup, s.VaultFile)
	} else {
		a.note("backed up %s to %s: %s", s.VaultFile, s.Backup, count(s.Secrets, "secret"))
	}
	if s.Key != "" {
		a.note("the key is in %s", s.Key)
	}
	if len(s.Removed) > 0 {
		a.note("removed %s; %d stay", count(len(s.Removed), "old backup"), s.Kept)
	}
	if pruned.Foreign > 0 {
		a.note("%s named as backups of it stay: they are another vault's, or under a key that is not here", count(pruned.Foreign, "file"))
	}
	if pruneErr != nil {
		return &failure{code: exitFailed, kind: kindUnfinished, err: pruneErr, hint: "the backup is made, as " + s.Backup + "; run the command again to remove the old ones"}
	}
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

// checkDirectory wants a directory that is there.
func checkDirectory(flag, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return &failure{code: exitNotFound, err: fmt.Errorf("%s: there is no such directory", path), hint: "mount the disk that it is on, or make the directory first: mkdir -m 0700 " + shellWord(path)}
	case err != nil:
		return err
	case !info.IsDir():
		return badInput("give a directory for "+flag, "%s is no directory", path)
	case owner.EverybodyMayReplace(info):
		return &failure{code: exitInsecure, err: fmt.Errorf("%s can be written to by every user", path),
			hint: nothingChanged + "; anybody could remove what is kept there, or put another in its place; run: chmod 0700 " + shellWord(path)}
	}
	return nil
}
