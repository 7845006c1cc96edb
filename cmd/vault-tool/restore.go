package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/vaultfile"
)

func newRestoreCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the vault",
		Long: `Put a backup in the place of the vault, with the history that it has. FILE has to open and be well formed;
the vault that is there is kept as VAULT.bak (an earlier one as VAULT.bak.1, and so on), and with it all that
came later.

A backup from before a rotation is under an older key: give that with a second --key-file. It is encrypted
anew under the first key, which has to open the vault that is there; otherwise nothing is changed, and the
exit code is 4. To go back to the older key, give that alone.

The vault keeps its owner and its mode, but one that others could touch becomes 0600, as a new one is.`,
		Example: `  vault-tool restore /secure-backup/secrets.vault.20260419
  vault-tool restore OLD_BACKUP --key-file vault.key --key-file vault.key.old`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return badInput("vault-tool restore /secure-backup/secrets.vault.20260419", "give one file, the backup")
			}
			return nil
		},
		RunE: a.action(func(ctx context.Context, args []string) error { return a.runRestore(ctx, args[0]) }),
	}
	a.addKeyFiles(cmd)
	a.addIfMatch(cmd)
	return cmd
}

// restoreSummary is what --json prints.
type restoreSummary struct {
	VaultFile   string            `json:"vault_file"`
	File        string            `json:"file"`
	Key         string            `json:"key"` // that opened the file
	Outcome     vaultfile.Outcome `json:"outcome"`
	Secrets     int               `json:"secrets"`
	ReEncrypted bool              `json:"re_encrypted"`
	Backup      string            `json:"backup,omitempty"`
	ETag        string            `json:"etag"`
}

func (a *app) runRestore(ctx context.Context, file string) error {
	if sameFile(file, a.vaultPath()) {
		return badInput("name a backup of it", "%s is the vault itself", file)
	}
	return a.withKeys(ctx, func(keys *keyring.Keyring) error {
		v, key, err := keys.Open(ctx, file)
		if err != nil {
			return noBackup(err)
		}
		v.Close()
		first, with := keys.First(), keys.Key(key)
		if err := a.checkFirstKey(ctx, keys); err != nil {
			return err
		}
		restored, err := vaultfile.Restore(ctx, a.vaultPath(), first.Unlocker, file, with.Unlocker, a.writeOptions("restore"))
		if err != nil {
			return a.notRestored(err, first, with)
		}
		return a.reportRestore(restoreSummary{
			VaultFile: a.vaultPath(), File: file, Key: key, Outcome: restored.Outcome, Secrets: restored.Secrets,
			ReEncrypted: restored.ReEncrypted, Backup: restored.Backup, ETag: restored.ETag,
		}, restored.Unread)
	})
}

// checkFirstKey refuses keys in the wrong order: the vault would be under one that is not its own.
func (a *app) checkFirstKey(ctx context.Context, keys *keyring.Keyring) error {
	v, key, err := keys.Open(ctx, a.vaultPath())
	if err != nil {
		return nil // there is none, or none of the keys opens it
	}
	v.Close()
	if first := keys.First().Name; key != first {
		return &failure{code: exitCannotOpen, kind: "decryption_failed", err: fmt.Errorf("%s is opened by %s, and not by %s, which was given first", a.vaultPath(), key, first),
			hint: nothingChanged + "; give the key of the vault that is there first. To go back to an older key, give that alone"}
	}
	return nil
}

// noBackup is the failure for a file that cannot be restored.
func noBackup(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	o := describe(err)
	hint := "vault-tool verify DIR tells which backups can be restored"
	switch {
	case errors.Is(err, os.ErrNotExist):
		o.kind = kindsOfCodes[exitNotFound] // it is not the vault
	case errors.Is(err, vaultfile.ErrDecryption):
		err = errors.New(err.Error()) // all is said of the keys
		hint = "if it is from before a rotation, give its key with a second --key-file; if it is damaged, take another: " + hint
	}
	return &failure{code: o.code, kind: o.kind, err: err, hint: nothingChanged + "; " + hint}
}

// notRestored tells of the first key that it does not open the vault, where that has to be known.
func (a *app) notRestored(err error, first, with keyring.Key) error {
	if first.Unlocker == with.Unlocker || !errors.Is(err, vaultfile.ErrDecryption) {
		return leftUnchanged(err)
	}
	return &failure{
		code: exitCannotOpen, kind: kindOf(err, exitCannotOpen),
		err:  fmt.Errorf("%s does not open %s, so the backup, which is under %s, is not encrypted for it", first.Name, a.vaultPath(), with.Name),
		hint: nothingChanged + "; the first --key-file is the key of the vault that is there. Where that is lost or damaged, move it away, or restore the backup under its own key, given alone",
	}
}

func (a *app) reportRestore(s restoreSummary, unread bool) error {
	switch s.Outcome {
	case vaultfile.Unchanged:
		a.note("%s holds exactly what %s does already", s.VaultFile, s.File)
	default:
		a.note("restored %s from %s: %s", s.VaultFile, s.File, count(s.Secrets, "secret"))
	}
	if s.Backup != "" {
		a.note("the vault from before is kept as %s", s.Backup)
	}
	if unread {
		a.note("the key does not open that; if it was not damaged, the services that use it need the key of the backup now")
	}
	if s.ReEncrypted {
		a.note("the backup was under %s; the vault is under %s", s.Key, a.keyName())
	}
	if a.json {
		return a.printJSON(s)
	}
	return nil
}
