package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/drop"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/vaultfile"
)

type sealOptions struct {
	addOptions // the name, and how the value is read
	to         string
	out        string
}

type sealSummary struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Out         string `json:"out"`
	Drop        string `json:"drop,omitempty"` // where it went to no file
}

// maxPublicKeyBytes bounds the file of a public key; a larger one is something else.
const maxPublicKeyBytes = 64 << 10

func newSealCommand(a *app) *cobra.Command {
	var o sealOptions
	cmd := &cobra.Command{
		Use:   "seal --to FILE.drop.pub NAME",
		Short: "Seal a secret for somebody's vault, without that vault or its key",
		Long: `Seal a secret to the public half of a vault's key for drops (drop-key). The value comes from standard input, as
with add. The drop is about two kilobytes of text, which can go by mail or into a ticket: nobody but the
vault can open it, and not even who sealed it.

Who has the vault adds it with collect. A drop does not prove who made it.`,
		Example: "  echo \"$TOKEN\" |\n    vault-tool seal --to secrets.vault.drop.pub STRIPE_KEY --out stripe.drop",
		Args:    oneNewName,
	}
	cmd.RunE = a.flushedAction(func(ctx context.Context, args []string) error {
		if len(args) > 0 {
			o.name = args[0]
		}
		return a.runSeal(ctx, o)
	})
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "the `FILE` with the public half of the key")
	flags.StringVar(&o.name, "name", "", "the secret's name, if it is no argument")
	flags.BoolVar(&o.raw, "raw", false, "keep a trailing newline")
	flags.BoolVar(&o.allowEmpty, "allow-empty", false, "accept an empty value")
	flags.StringVarP(&o.out, "out", "o", "", "write the drop to `FILE` instead of standard output")
	_ = cmd.MarkFlagRequired("to") // fails for an unknown flag only
	completeFiles(cmd, "to", "out")
	return cmd
}

func (a *app) runSeal(ctx context.Context, o sealOptions) error {
	if err := checkName(o.name); err != nil {
		return err
	}
	to, err := a.readPublicKey(ctx, o.to)
	if err != nil {
		return err
	}
	value, err := a.newValue(ctx, o.addOptions)
	if err != nil {
		return err
	}
	defer value.Destroy()
	if err := vaultfile.ValidateValue(value.Bytes()); err != nil {
		return err
	}
	d, err := drop.Seal(to, o.name, value.Bytes())
	if err != nil {
		return err
	}
	s := sealSummary{Name: o.name, Fingerprint: to.Fingerprint(), Out: o.out}
	if o.out != "" {
		err := durable.Create(o.out, d.Text(), durable.CreateOptions{Mode: dropKeyMode})
		if errors.Is(err, fs.ErrExist) {
			return existsAlready("write to another file", "%s exists already", o.out)
		}
		if err != nil {
			return leftUnchanged(err)
		}
		a.note("sealed %s in %s", o.name, o.out)
	} else {
		s.Drop = string(d.Text())
	}
	a.note("sealed to the key with fingerprint %s", s.Fingerprint)
	switch {
	case a.json:
		return a.printJSON(s)
	case o.out == "":
		return a.print(d.Text())
	}
	return nil
}

func (a *app) readPublicKey(ctx context.Context, path string) (drop.PublicKey, error) {
	if path == stdinName {
		return drop.PublicKey{}, badInput("give a file; a pipe has a path too: --to <(COMMAND)", "--to reads no standard input, where the value comes from")
	}
	text, err := a.readFile(ctx, path, "public key", maxPublicKeyBytes)
	if errors.Is(err, os.ErrNotExist) {
		return drop.PublicKey{}, &failure{code: exitNotFound, err: err, hint: "who has the vault makes the file with: vault-tool drop-key"}
	}
	if err != nil {
		return drop.PublicKey{}, err
	}
	defer text.Destroy()
	key, err := drop.ParsePublicKey(text.Bytes())
	if err != nil {
		return key, badInput("give the file that vault-tool drop-key wrote, FILE.drop.pub", "%s: %w", path, err)
	}
	return key, nil
}
