// Command vault-tool keeps a deployment's credentials in one encrypted file.
//
// It is a thin layer over package vaultfile: one file a command, each with its constructor, its
// options and its run method; errors.go maps errors to messages, hints and exit codes.
package main

import (
	"context"
	"os"
)

func main() { run(os.Exit) }

// run executes the command line and calls exit with the exit code.
func run(exit func(code int)) {
	hardenProcess()
	ctx, cancel := context.WithCancelCause(context.Background())
	exit(newApp(cancel, exit).main(ctx, os.Args[1:]))
}
