package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/internal/terminal"
)

type decryptOptions struct {
	selection.Selection
	showValues bool
	raw        bool
}

func newDecryptCommand(a *app) *cobra.Command {
	var o decryptOptions
	cmd := &cobra.Command{
		Use:   "decrypt",
		Short: "Decrypt and display vault contents",
		Long: `Decrypt the vault and display its contents: the names, or with --show-values the values too.

Values are printed as dotenv lines that godotenv and docker compose read back to the same bytes. A
shell reads values with quotes or signs otherwise, and may run parts of them: the lines are not to be
sourced. Where there is no such line for a name or a value, the others are printed and it is an error;
--json has all of them, in a form that encrypt reads back.

On a terminal, control characters other than newline and tab are shown escaped; --raw writes them.`,
		Example: `  vault-tool decrypt
  vault-tool decrypt --show-values
  vault-tool decrypt --show-values --json`,
		Args: noArgumentsBut("the vault is given with --vault-file, and secrets are chosen with --only"),
		RunE: a.action(func(ctx context.Context, _ []string) error { return a.runDecrypt(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.Only, "only", nil, "only the secrets that match `GLOB` (repeatable)")
	flags.StringArrayVar(&o.Except, "except", nil, "not the secrets that match `GLOB` (repeatable)")
	a.addReadScope(cmd)
	flags.BoolVar(&o.raw, "raw", false, "on a terminal too: the values as they are")
	flags.BoolVar(&o.showValues, "show-values", false, "print the values; mind who sees the screen and what records it")
	return cmd
}

func (a *app) runDecrypt(ctx context.Context, o decryptOptions) error {
	if err := globError(o.Validate()); err != nil {
		return err
	}
	return a.withSecrets(ctx, func(v scope.Secrets) error {
		names := v.Names()
		if err := a.checkDelivered(o.Selection, names); err != nil {
			return err
		}
		names = o.Names(names)
		switch {
		case !o.showValues:
			return a.printNames(names)
		case a.json:
			return a.printVaultJSON(v, names)
		}
		return a.printVaultDotenv(v, names, o.raw)
	})
}

// eachOf calls f for the secrets of those names.
func eachOf(v scope.Secrets, names []string, f func(name string, value []byte)) error {
	for _, name := range names {
		err := v.Use(name, func(value []byte) error {
			f(name, value)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// printVaultJSON writes secrets as one JSON object, a line each.
func (a *app) printVaultJSON(v scope.Secrets, names []string) error {
	const indent, separator = "\n  ", ","
	size := len("{\n}\n")
	err := eachOf(v, names, func(name string, value []byte) {
		size += len(indent) + jsonPairLen(name, value) + len(separator)
	})
	if err != nil {
		return err
	}
	return a.printSecret(size, func(dst []byte) []byte {
		dst = append(dst, '{')
		_ = eachOf(v, names, func(name string, value []byte) { // as a moment ago
			if len(dst) > 1 {
				dst = append(dst, separator...)
			}
			dst = append(dst, indent...)
			dst = appendJSONPair(dst, name, value)
		})
		if len(names) > 0 {
			dst = append(dst, '\n')
		}
		return append(dst, "}\n"...)
	})
}

// dotenvReaders is the first line of what decrypt prints.
const dotenvReaders = "# For godotenv and docker compose. Not for a shell or docker --env-file: they read some of these lines otherwise.\n"

// printVaultDotenv writes the secrets that have a dotenv line. That others have none is an error.
func (a *app) printVaultDotenv(v scope.Secrets, names []string, raw bool) error {
	if len(names) == 0 {
		return nil
	}
	size := len(dotenvReaders)
	var without []string
	err := eachOf(v, names, func(name string, value []byte) {
		n, ok := dotenv.EncodedLen(name, value)
		if !ok {
			without = append(without, name)
		}
		size += n
	})
	if err != nil {
		return err
	}
	buf, err := lockedmem.New(size)
	if err != nil {
		return err
	}
	defer buf.Destroy()
	lines := append(buf.Bytes()[:0], dotenvReaders...)
	err = eachOf(v, names, func(name string, value []byte) { lines, _ = dotenv.AppendLine(lines, name, value) })
	if err != nil {
		return err
	}
	if terminal.Is(a.stdout) && !raw {
		err = a.printVisible(lines, "")
	} else {
		err = a.print(lines)
	}
	if err == nil && len(without) > 0 {
		err = badInput("all of them: --show-values --json; the others alone: --except NAME",
			"left out, because no dotenv line is read the same everywhere for the name or value: %s", strings.Join(without, ", "))
	}
	return err
}
