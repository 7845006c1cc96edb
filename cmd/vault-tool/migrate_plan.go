package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/mazevault/vault-tool/internal/credentials"
	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/vaultfile"
)

// maxEnvFileBytes bounds a .env file; a larger one is something else.
const maxEnvFileBytes = 64 << 20

// fate is what becomes of a chosen variable.
type fate string

const (
	moved     fate = "moved"     // its value goes to the vault
	unchanged fate = "unchanged" // the vault has its value already
	kept      fate = "kept"      // the vault has another value, which stays (--keep)
)

// prunes tells whether the variable's lines go from the file: when the vault has their value.
func (f fate) prunes() bool { return f == moved || f == unchanged }

// chosenSecret is a variable to be moved.
type chosenSecret struct {
	name  string
	line  int
	value []byte // in the migration's arena
	fate  fate
}

// leftSecret is a variable that was not chosen, though it looks like a secret.
type leftSecret struct {
	Name    string `json:"name"`
	Line    int    `json:"line"`
	Reason  string `json:"reason"`
	Include string `json:"include"` // the option that takes it
}

// migration is one run of migrate-env: the file as it was read, and what is to be done.
type migration struct {
	a         *app
	options   migrateOptions
	vaultPath string

	source *lockedmem.Buffer // the .env file
	file   *dotenv.File      // without values, which are in chosen
	broken brokenLines
	values lockedmem.Arena

	chosen  []chosenSecret
	skipped []string // set to nothing
	left    []leftSecret
	pruned  *lockedmem.Buffer // the .env file to be, nil if it stays as it is
	created bool              // the vault did not exist
}

func (m *migration) close() {
	m.pruned.Destroy()
	m.values.Destroy()
	m.source.Destroy()
}

// readMigration reads the .env file and chooses the variables.
func (a *app) readMigration(ctx context.Context, o migrateOptions) (*migration, error) {
	if err := errors.Join(validateGlobs(o.include), validateGlobs(o.exclude)); err != nil {
		return nil, err
	}
	dialect := dotenv.Strict
	if o.dialect != "" {
		var err error
		if dialect, err = dotenv.ParseDialect(o.dialect); err != nil {
			return nil, badInput("", "--dialect: %w", err)
		}
	}
	if o.prune && descriptor.Named(o.envFile) {
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

func (a *app) readEnvFile(ctx context.Context, o migrateOptions) (*lockedmem.Buffer, error) {
	f, err := descriptor.Open(o.envFile)
	if err != nil {
		return nil, envFileError(o.envFile, err)
	}
	source, err := a.readInput(ctx, f, o.envFile, maxEnvFileBytes)
	if closeErr := f.Close(); err == nil && closeErr != nil {
		source.Destroy()
		err = closeErr
	}
	return source, envFileError(o.envFile, err)
}

// envFileError adds the exit code and the hint to an error about the .env file.
func envFileError(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return &failure{code: exitNotFound, err: err, hint: "check --env-file"}
	}
	if errors.Is(err, syscall.EISDIR) {
		return badInput("check --env-file", "%s is a directory", path)
	}
	return err
}

// parse reads the file, decides about every variable and copies the values of the chosen ones.
func (m *migration) parse(dialect dotenv.Dialect) error {
	file, err := dotenv.Parse(m.source.Bytes(), dialect)
	if err != nil {
		return badInput("", "%s: %w", m.options.envFile, err)
	}
	m.file = file
	defer file.Wipe()
	m.broken = findBrokenLines(file, m.source.Bytes())
	m.noteUnmatched()
	m.noteUnread()
	var problems []error
	for entry := range file.Effective() {
		if m.broken.pieces[entry] && !m.choosesByName(entry.Name) {
			continue
		}
		if err := m.consider(entry); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return &failure{
			code: exitUsage,
			err:  fmt.Errorf("%s: %w", m.options.envFile, joinLines(problems)),
			hint: "nothing was changed; put the value in single quotes, say whose reading counts with --dialect, or leave the variable out with --exclude",
		}
	}
	return nil
}

// consider decides about one variable.
func (m *migration) consider(entry *dotenv.Entry) error {
	if !m.chooses(entry.Name) {
		m.considerLeft(entry)
		return nil
	}
	if entry.Err != nil {
		return entry.Err
	}
	if m.broken.cut[entry] {
		return fmt.Errorf("line %d, %s: the value seems to go on below, but is not in quotes", entry.Line, entry.Name)
	}
	if len(entry.Value) == 0 {
		m.skipped = append(m.skipped, entry.Name)
		return nil
	}
	if err := vaultfile.ValidateName(entry.Name); err != nil {
		return fmt.Errorf("line %d: %w", entry.Line, err)
	}
	value, err := m.values.Copy(entry.Value)
	if err != nil {
		return err
	}
	m.chosen = append(m.chosen, chosenSecret{name: entry.Name, line: entry.Line, value: value})
	return nil
}

// considerLeft notes a variable that was not chosen but looks like a secret. Of a line that could not
// be read the parser says whether its name is safe to show: it may be a piece of a broken value.
func (m *migration) considerLeft(entry *dotenv.Entry) {
	if entry.Err != nil {
		var doubtful *dotenv.DoubtfulError
		if !errors.As(entry.Err, &doubtful) || doubtful.Name != entry.Name {
			return
		}
	}
	if vaultfile.ValidateName(entry.Name) != nil {
		return
	}
	if reason, ok := credentials.LooksSecret(entry.Name, entry.Value); ok {
		m.left = append(m.left, leftSecret{entry.Name, entry.Line, reason, "--include " + entry.Name})
	}
}

// chooses tells whether the options choose a name. What is excluded is not chosen, whatever else.
func (m *migration) chooses(name string) bool {
	if matchesAny(m.options.exclude, name) {
		return false
	}
	return m.options.all || m.choosesByName(name)
}

// choosesByName tells whether a name is known or asked for, not just one of all.
func (m *migration) choosesByName(name string) bool {
	return credentials.IsKnown(name) || matchesAny(m.options.include, name)
}

// plan compares the chosen variables with the vault and decides the fate of each; with --prune it also
// makes the file to be.
func (m *migration) plan(vault secretReader) error {
	var differing []string
	for i := range m.chosen {
		s := &m.chosen[i]
		same, there := holds(vault, s.name, s.value)
		switch {
		case same:
			s.fate = unchanged
		case there && m.options.keep:
			s.fate = kept
		case there && !m.options.overwrite:
			differing = append(differing, s.name)
		default:
			s.fate = moved
		}
	}
	if len(differing) > 0 {
		return conflict("nothing was written; the file's values count with --overwrite, the vault's with --keep",
			"%s holds other values than %s: %s", m.vaultPath, m.options.envFile, join(differing))
	}
	if m.options.prune {
		return m.prune()
	}
	return nil
}

// names returns the names of the chosen variables of a fate.
func (m *migration) names(f fate) []string {
	names := []string{} // an empty array, not null, as JSON
	for _, s := range m.chosen {
		if s.fate == f {
			names = append(names, s.name)
		}
	}
	return names
}

// prune makes the .env file without the lines whose values the vault has.
func (m *migration) prune() error {
	goes := make(map[string]bool)
	for _, s := range m.chosen {
		if s.fate.prunes() {
			goes[s.name] = true
		}
	}
	if len(goes) == 0 {
		return nil
	}
	removes := func(name string) bool { return goes[name] }
	if references := m.file.References(removes); len(references) > 0 {
		return m.referenceError(references)
	}
	if !m.options.dryRun { // which leaves no trace, not even that of trying
		if err := durable.CheckReplaceable(m.options.envFile); err != nil {
			return err
		}
	}
	buf, err := lockedmem.New(m.source.Len())
	if err != nil {
		return err
	}
	rest, err := m.file.Prune(buf.Bytes()[:0], removes)
	if err != nil {
		buf.Destroy()
		return badInput("nothing was changed; run without --prune and remove the lines by hand", "%s: %w", m.options.envFile, err)
	}
	buf.Truncate(len(rest))
	m.pruned.Destroy() // of an earlier plan
	m.pruned = buf
	return nil
}

func (m *migration) referenceError(references []dotenv.Reference) error {
	var lines []string
	for _, r := range references {
		lines = append(lines, fmt.Sprintf("line %d, %s needs %s", r.Line, r.Name, r.Target))
	}
	return badInput("nothing was changed; run without --prune, or move those variables too with --include",
		"%s: lines that stay refer to variables that would go: %s", m.options.envFile, strings.Join(lines, "; "))
}

// joinLines makes one error of several, on a line each.
func joinLines(problems []error) error {
	if len(problems) == 1 {
		return problems[0]
	}
	return fmt.Errorf("%d lines cannot be read with certainty:\n  %w", len(problems), errors.Join(indent(problems)...))
}

// indent sets off all errors but the first, for errors.Join to put them on lines of their own.
func indent(problems []error) []error {
	for i := 1; i < len(problems); i++ {
		problems[i] = fmt.Errorf("  %w", problems[i])
	}
	return problems
}
