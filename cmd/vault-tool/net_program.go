package main

import (
	"os"

	"github.com/mazevault/vault-tool/internal/companion"
)

// libexecDir is where vault-tool-net may be, if it is not beside vault-tool. Packages that keep it elsewhere stamp it
// (-ldflags "-X main.libexecDir=DIR"); nothing at run time changes it.
var libexecDir = "/usr/local/libexec/vault-tool"

// netProgram is what talks to networks. Nothing is looked for before it is asked.
func (a *app) netProgram() *companion.Program {
	return companion.New(func() []string { return companion.Places(libexecDir) }, os.Environ)
}

// netOutcomes are the exit codes, kinds and hints of vault-tool-net itself.
var netOutcomes = []outcomeOf{
	{companion.ErrMissing, exitFailed, "net_program_missing", "put " + companion.Name + ", of the same release, beside vault-tool: it fetches what is in a network"},
	{companion.ErrRefused, exitFailed, "net_program_refused", "it receives keys and secrets, so nobody but root and you may be able to change it; check the owner and the mode (chmod go-w) of the file and its directory, or install it anew"},
	{companion.ErrVersion, exitFailed, "net_program_version", "install both programs from one release, and restart what was started before"},
	{companion.ErrBroken, exitFailed, "net_program_failed", "see whether it runs: " + companion.Name + " --version; if not, install both programs from one release"},
}
