// Command vault-tool keeps a deployment's credentials in one encrypted file.
//
// It is a thin layer over package vaultfile: one file a command, each with its constructor, its
// options and its run method; errors.go maps errors to messages, hints and exit codes.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/mazevault/vault-tool/internal/hardening"
	"github.com/mazevault/vault-tool/internal/supervise"
)

func main() { run(os.Exit) }

// collectFromBytes is the size of the heap, and what the runtime needs beside it, from which on garbage is collected all the
// same.
const collectFromBytes = 256 << 20

// run executes the command line and calls exit with the exit code.
func run(exit func(code int)) {
	hardening.Apply()
	if len(os.Args) > 1 && os.Args[1] == supervise.SessionArgument {
		exit(supervise.Session(os.Args[2:]))
	}
	// A command is over before a collection pays: one would begin at 4 MiB of heap. Secrets stand outside of the heap.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(collectFromBytes)
	ctx, cancel := context.WithCancelCause(context.Background())
	exit(newApp(cancel, exit).main(ctx, os.Args[1:]))
}
