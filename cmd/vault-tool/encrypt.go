package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/vaultfile"
)

type encryptOptions struct {
	force bool
}

type encryptSummary struct {
	VaultFile string            `json:"vault_file"`
	Outcome   vaultfile.Outcome `json:"outcome"`
	Secrets   int               `json:"secrets"`
	Backup    string            `json:"backup,omitempty"`
	ETag      string            `json:"etag"`

	written vaultfile.Written
}

func newEncryptCommand(a *app) *cobra.Command {
	var o encryptOptions
	cmd := &cobra.Command{
		Use:   "encrypt",
		Short: "Create an encrypted vault from JSON input (stdin)",
		Long: `Create an encrypted vault from a JSON object of names to strings on standard input.

An existing vault is refused; with --force it is replaced, and kept as FILE.bak.`,
		Example: `  echo '{"DATABASE_URL": "postgres://..."}' | vault-tool encrypt
  vault-tool decrypt --show-values --json |
    vault-tool encrypt --vault-file copy.vault`,
		Args: noArgumentsBut("JSON comes from standard input: vault-tool encrypt < FILE; the vault is given with --vault-file"),
		RunE: a.action(func(ctx context.Context, _ []string) error { return a.runEncrypt(ctx, o) }),
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "replace an existing vault and keep it as FILE.bak")
	a.addIfMatch(cmd)
	return cmd
}

func (a *app) runEncrypt(ctx context.Context, o encryptOptions) error {
	path := a.vaultPath()
	if err := refuseSameFile(path, a.keyPath()); err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil && !o.force {
		_ = durable.Sweep(path)    // the run that made it may have been killed before it was done
		return existingVault(path) // before anybody types in vain
	}
	input, err := a.readChanges(ctx, stdinName, "JSON object of names to strings")
	if err != nil {
		return err
	}
	defer input.Destroy()

	s := encryptSummary{VaultFile: path}
	err = a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		create := vaultfile.CreateOptions{WriteOptions: a.writeOptions("encrypt"), Replace: o.force}
		made, err := vaultfile.Create(ctx, path, u, create, func(d *vaultfile.Draft) error {
			if err := d.SetJSON(bytes.TrimPrefix(input.Bytes(), []byte(utf8BOM))); err != nil {
				return inputJSONError(err)
			}
			s.Secrets = d.Len()
			return nil
		})
		s.Outcome, s.Backup, s.ETag, s.written = made.Outcome, made.Backup, made.ETag, made
		return err
	})
	if errors.Is(err, vaultfile.ErrExists) {
		return existingVault(path)
	}
	if err != nil {
		return leftUnchanged(err)
	}
	return a.reportEncrypt(s)
}

func (a *app) reportEncrypt(s encryptSummary) error {
	switch s.Outcome {
	case vaultfile.Unchanged:
		a.note("%s holds exactly these %s already", s.VaultFile, count(s.Secrets, "secret"))
	case vaultfile.Replaced:
		a.note("replaced %s: %s; the old file is kept as %s", s.VaultFile, count(s.Secrets, "secret"), s.Backup)
	default:
		a.note("created %s with %s", s.VaultFile, count(s.Secrets, "secret"))
	}
	if s.written.Unread {
		a.note("the key does not open the old file; its secrets and their history are in %s only", s.Backup)
	}
	a.noteHistory(s.written, "the old values are kept in it as well: vault-tool history")
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

func existingVault(path string) error {
	return existsAlready("add a secret to it with: vault-tool add; or replace it, keeping the old one as a backup, with: --force",
		"%s exists already", path)
}

// utf8BOM is what some editors put before a text.
const utf8BOM = "\ufeff"

func inputJSONError(err error) error {
	var payload *vaultfile.PayloadError
	if errors.As(err, &payload) {
		return badInput(`expected one JSON object of names to strings: {"NAME": "value"}; nothing was written`, "standard input: %w", payload)
	}
	if errors.Is(err, vaultfile.ErrBadName) {
		return fmt.Errorf("standard input: %w", err)
	}
	return err
}
