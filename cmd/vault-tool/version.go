package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/kdf"
)

// version is stamped by `make build`; `go install` leaves it empty and the module's version counts.
var version string

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

type versionSummary struct {
	Version  string `json:"version"`
	Format   string `json:"format"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Erasure  bool   `json:"complete_erasure"`
}

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version, the vault format and how it was built",
		Example: "  vault-tool version\n  vault-tool version --json",
		Args:    noArgumentsBut("it takes no argument"),
		RunE:    a.plainAction(a.runVersion),
	}
}

func (a *app) runVersion(context.Context, []string) error {
	s := versionSummary{
		Version:  buildVersion(),
		Format:   "MVT1",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Erasure:  erase.Complete,
	}
	if kdf.Quick {
		s.Version += " (for tests only: cheap key derivation)"
	}
	if a.json {
		return a.printJSON(s)
	}
	erasure := "best effort"
	if s.Erasure {
		erasure = "complete (runtime/secret)"
	}
	return a.print(fmt.Appendf(nil, "vault-tool %s\nformat %s, %s, %s, erasure of temporaries: %s\n",
		s.Version, s.Format, s.Go, s.Platform, erasure))
}
