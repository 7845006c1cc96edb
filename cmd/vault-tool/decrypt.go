package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/vaultfile"
)

type decryptOptions struct {
	showValues bool
}

func newDecryptCommand(a *app) *cobra.Command {
	var o decryptOptions
	cmd := &cobra.Command{
		Use:   "decrypt",
		Short: "Decrypt and display vault contents",
		Long: `Decrypt the vault and display its contents: the names, or with --show-values the values too.

Values are printed as dotenv lines that dotenv libraries and docker compose read back to the same
bytes. A value for which no such line exists is left out with a note; --json has all of them, in a
form that encrypt reads back.`,
		Example: `  vault-tool decrypt
  vault-tool decrypt --show-values
  vault-tool decrypt --show-values --json`,
		Args: noArguments,
		RunE: a.action(func(ctx context.Context, _ []string) error { return a.runDecrypt(ctx, o) }),
	}
	cmd.Flags().BoolVar(&o.showValues, "show-values", false, "print the values; mind who sees the screen and what records it")
	return cmd
}

func (a *app) runDecrypt(ctx context.Context, o decryptOptions) error {
	return a.withVault(ctx, func(v *vaultfile.Vault) error {
		switch {
		case !o.showValues:
			return a.printNames(v.Names())
		case a.json:
			return a.printVaultJSON(v)
		}
		return a.printVaultDotenv(v)
	})
}

// printVaultJSON writes all secrets as one JSON object, a line each.
func (a *app) printVaultJSON(v *vaultfile.Vault) error {
	const indent, separator = "\n  ", ","
	size := len("{\n}\n")
	err := v.Each(func(name string, value []byte) error {
		size += len(indent) + jsonPairLen(name, value) + len(separator)
		return nil
	})
	if err != nil {
		return err
	}
	return a.printSecret(size, func(dst []byte) []byte {
		dst = append(dst, '{')
		_ = v.Each(func(name string, value []byte) error { // open a moment ago
			if len(dst) > 1 {
				dst = append(dst, separator...)
			}
			dst = append(dst, indent...)
			dst = appendJSONPair(dst, name, value)
			return nil
		})
		if v.Len() > 0 {
			dst = append(dst, '\n')
		}
		return append(dst, "}\n"...)
	})
}

// printVaultDotenv writes all secrets that have a dotenv line, and notes the others by name.
func (a *app) printVaultDotenv(v *vaultfile.Vault) error {
	size := 0
	var without []string
	err := v.Each(func(name string, value []byte) error {
		n, ok := dotenv.EncodedLen(name, value)
		if !ok {
			without = append(without, name)
		}
		size += n
		return nil
	})
	if err != nil {
		return err
	}
	err = a.printSecret(size, func(dst []byte) []byte {
		_ = v.Each(func(name string, value []byte) error { // open a moment ago
			dst, _ = dotenv.AppendLine(dst, name, value)
			return nil
		})
		return dst
	})
	if err == nil && len(without) > 0 {
		a.warn("left out, because no dotenv line is read the same everywhere for the name or value (use --json): %s", strings.Join(without, ", "))
	}
	return err
}
