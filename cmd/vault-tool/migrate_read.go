package main

import (
	"context"
	"errors"
	"os"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/vaultfile"
)

// maxEnvFileBytes bounds a .env file; a larger one is something else.
const maxEnvFileBytes = 64 << 20

// stdinName is what stands for standard input where a file is named.
const stdinName = "-"

// fate is what becomes of a chosen variable.
type fate string

const (
	moved     fate = "moved"     // its value goes to the vault
	unchanged fate = "unchanged" // the vault has its value already
	kept      fate = "kept"      // the vault has another value, which stays (--keep)
	differs   fate = "differs"   // the vault has another value, so nothing is done
)

// prunes tells whether the variable's lines go from the file: when the vault has their value.
func (f fate) prunes() bool { return f == moved || f == unchanged }

// chosenSecret is a variable to be moved.
type chosenSecret struct {
	name  string
	value []byte // in the migration's arena
	fate  fate
}

// leftVariable is a variable that stays in the file, though somebody may expect otherwise.
type leftVariable struct {
	Name    string `json:"name"`
	Line    int    `json:"line"`
	Reason  string `json:"reason"`
	Include string `json:"include"` // the option that takes it, empty if the line has to be corrected first
}

// bareName is a line that is a name and no more.
type bareName struct {
	Name string `json:"name,omitempty"` // empty where it could be a piece of a value
	Line int    `json:"line"`
}

// problem is what forbids to go on: a chosen variable that cannot be read with certainty, or lines that cannot.
type problem struct {
	entry *dotenv.Entry // nil for lines
	name  string        // empty where there is none that is safe to show
	err   error
	lines int // how many
}

// migration is one run of migrate-env: the file as it was read, and what is to be done.
type migration struct {
	a         *app
	options   migrateOptions
	vaultPath string

	source *lockedmem.Buffer // the .env file
	file   *dotenv.File      // without values, which are in chosen
	values lockedmem.Arena

	chosen   []chosenSecret
	skipped  []string       // set to nothing
	heldBack []leftVariable // chosen, but taken only by their full names
	left     []leftVariable // not chosen, but looks like a secret
	bare     []bareName
	unread   []int // lines in which no variable is seen
	problems []problem
	assigned map[string]int // see assignments

	pruned  *lockedmem.Buffer // the .env file to be, nil if it stays as it is
	created bool              // the vault did not exist
	written vaultfile.Written
	refused bool // nothing was changed, for a reason that stands in the file or the vault
}

func (m *migration) close() {
	m.pruned.Destroy()
	m.values.Destroy()
	m.source.Destroy()
}

// readMigration reads the .env file and chooses the variables.
func (a *app) readMigration(ctx context.Context, o migrateOptions) (*migration, error) {
	if err := globError(errors.Join(selection.Validate(o.include), selection.Validate(o.exclude))); err != nil {
		return nil, err
	}
	dialect := dotenv.Strict
	if o.dialect != "" {
		var err error
		if dialect, err = dotenv.ParseDialect(o.dialect); err != nil {
			return nil, badInput("", "--dialect: %w", err)
		}
	}
	if o.prune && (o.envFile == stdinName || descriptor.Named(o.envFile)) {
		return nil, badInput("give the path of the file", "--prune needs a file that can be replaced, not %s", o.envFile)
	}
	source, err := a.readEnvFile(ctx, o)
	if err != nil {
		return nil, err
	}
	m := &migration{a: a, options: o, vaultPath: a.vaultPath(), source: source}
	// The parsers make strings of the values; they are gone after the flush.
	erase.Do(func() { err = m.parse(dialect) })
	erase.Flush()
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// readEnvFile reads the file, a descriptor that is named by its path, or standard input.
func (a *app) readEnvFile(ctx context.Context, o migrateOptions) (*lockedmem.Buffer, error) {
	source, err := a.readFile(ctx, o.envFile, ".env file", maxEnvFileBytes)
	return source, envFileError(err)
}

// fileName names the .env file in messages.
func (m *migration) fileName() string { return inputName(m.options.envFile) }

// envFileError adds the exit code and the hint to an error about the .env file.
func envFileError(err error) error {
	var f *failure
	switch {
	case errors.Is(err, os.ErrNotExist):
		return &failure{code: exitNotFound, err: err, hint: "say with --env-file where the .env file is"}
	case errors.As(err, &f) && f.code == exitUsage: // a directory
		return &failure{code: f.code, err: f.err, hint: "check --env-file"}
	}
	return err
}
