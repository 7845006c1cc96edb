package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/filter"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/internal/terminal"
)

func newRedactCommand(a *app) *cobra.Command {
	var s selection.Selection
	cmd := &cobra.Command{
		Use:   "redact",
		Short: "Replace values by their names in a stream",
		Long: `Copy standard input to standard output, with [NAME] in the place of every value of the vault.

A value is found as it is, and escaped for JSON, URLs and shells, in hexadecimal and in base64, also where
it is a part of what was encoded; a private key in PEM line by line. Secrets with equal values are named
together: [A,B]. Values of fewer than 8 bytes are left as they are, and named on standard error.

What comes is passed on at once, but for an end that can still become a value. Everything else goes
through unchanged, NUL and binary data too. To redact what a command prints, on a terminal as well, use
vault-tool exec --redact.`,
		Example: `  ./deploy.sh 2>&1 | vault-tool redact > deploy.log
  kubectl logs app | vault-tool redact --except 'PUBLIC_*'`,
		Args: noArgumentsBut("it reads standard input: vault-tool redact < FILE"),
		RunE: a.action(func(ctx context.Context, _ []string) error { return a.runRedact(ctx, s) }),
	}
	cmd.Flags().StringArrayVar(&s.Only, "only", nil, "only the secrets that match `GLOB` (repeatable)")
	cmd.Flags().StringArrayVar(&s.Except, "except", nil, "not the secrets that match `GLOB` (repeatable)")
	a.addReadScope(cmd)
	return cmd
}

func (a *app) runRedact(ctx context.Context, s selection.Selection) error {
	values, err := a.openValues(ctx, s)
	if err != nil {
		return err
	}
	defer values.Destroy()
	if terminal.Is(a.stdin) {
		a.ask("Reading from the terminal; end with Ctrl-D.")
	}
	a.finish()
	a.interrupts.release() // from here on a signal ends it as it ends any filter
	if err := ctx.Err(); err != nil {
		return err
	}
	debug.SetGCPercent(100) // the runtime's default: this command lasts
	f, err := filter.New(values.Set, a.stdout)
	if err != nil {
		return err
	}
	_, err = f.ReadFrom(stdinReader{a.stdin})
	closeErr := f.Close()
	var inputErr *stdinError
	if errors.As(err, &inputErr) {
		return inputErr
	}
	return outputError(closeErr)
}

// stdinReader marks the errors of standard input, which are not the output's.
type stdinReader struct{ file *os.File }

type stdinError struct{ error }

func (e *stdinError) Unwrap() error { return e.error }

func (r stdinReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = &stdinError{fmt.Errorf("read %s: %w", inputName(stdinName), pathErr.Err)}
	}
	return n, err
}
