package main

import (
	"fmt"
	"strings"

	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

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
			s.fate = differs
			differing = append(differing, s.name)
		default:
			s.fate = moved
		}
	}
	if len(differing) > 0 {
		m.refused = true
		return conflict("nothing was written; say --overwrite if the file's values count, --keep if the vault's do",
			"%s holds other values than %s: %s", m.vaultPath, m.fileName(), join(differing))
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
		m.refused = true
		return m.referenceError(references)
	}
	if !m.rehearses() { // which leaves no trace, not even that of trying
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
		m.refused = true
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
		"%s: lines that stay refer to variables that would go: %s", m.fileName(), strings.Join(lines, "; "))
}
