// Command vault-tool-net is the part of vault-tool that talks to a network. vault-tool starts it where a command needs
// it, asks it over a pipe and ends it; see docs/net-protocol.md. It is not run by hand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/mazevault/vault-tool/internal/companion"
	"github.com/mazevault/vault-tool/internal/exchange"
	"github.com/mazevault/vault-tool/internal/hardening"
	"github.com/mazevault/vault-tool/internal/net/answers"
)

// version is stamped by `make build`; `go install` leaves it empty and the module's version counts.
var version string

func main() {
	hardening.Apply()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit codes, as vault-tool's.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `vault-tool-net is the part of vault-tool that talks to a network: it fetches a key from Azure
Key Vault. vault-tool starts it where a command needs it; it is not run by hand.

  vault-tool-net --version   print the version and that of the protocol
`

func run(args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) != 1 {
		_, _ = io.WriteString(errs, usage)
		return exitUsage
	}
	var err error
	switch args[0] {
	case companion.Argument:
		err = answers.Serve(context.Background(), in, out, answers.Operations())
		if errors.Is(err, answers.ErrAbandoned) { // nobody is there to be told
			return exitFailed
		}
	case "--version", "version":
		_, err = fmt.Fprintf(out, "vault-tool-net %s\nprotocol %d\n", buildVersion(), exchange.Version)
	case "--help", "-h", "help":
		_, err = io.WriteString(out, usage)
	default:
		_, _ = io.WriteString(errs, usage)
		return exitUsage
	}
	if err != nil {
		fmt.Fprintf(errs, "vault-tool-net: error: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
