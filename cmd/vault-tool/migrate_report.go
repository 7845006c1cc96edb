package main

import (
	"bytes"
	"fmt"
)

type migrateSummary struct {
	EnvFile    string       `json:"env_file"`
	VaultFile  string       `json:"vault_file"`
	DryRun     bool         `json:"dry_run"`
	Created    bool         `json:"vault_created"`
	Moved      []string     `json:"moved"`
	Unchanged  []string     `json:"unchanged"`
	Kept       []string     `json:"kept"`
	Skipped    []string     `json:"skipped"`
	LeftBehind []leftSecret `json:"left_behind"`
	Pruned     bool         `json:"pruned"`
}

// reportMigration tells by name what was done. The report is a note, but what a dry run is for.
func (a *app) reportMigration(m *migration) error {
	s := migrateSummary{
		EnvFile:    m.options.envFile,
		VaultFile:  m.vaultPath,
		DryRun:     m.options.dryRun,
		Created:    m.created,
		Moved:      m.names(moved),
		Unchanged:  m.names(unchanged),
		Kept:       m.names(kept),
		Skipped:    append([]string{}, m.skipped...),
		LeftBehind: append([]leftSecret{}, m.left...),
		Pruned:     m.pruned != nil && !m.options.dryRun,
	}
	if a.json {
		return a.printJSON(s)
	}
	text := s.text(m.pruned != nil)
	if s.DryRun {
		return a.print(text)
	}
	if !a.quiet {
		_, _ = a.stderr.Write(text) // the work is done, whoever listens
	}
	return nil
}

// text is the report for people.
func (s migrateSummary) text(prunes bool) []byte {
	var out bytes.Buffer
	envFile, vaultFile := printable(s.EnvFile), printable(s.VaultFile)
	will := func(done, would string) string {
		if s.DryRun {
			return would
		}
		return done
	}
	group := func(names []string, heading string) {
		if len(names) == 0 {
			return
		}
		fmt.Fprintf(&out, "%s (%d):\n", heading, len(names))
		for _, name := range names {
			fmt.Fprintf(&out, "  %s\n", printable(name))
		}
	}
	if s.Created {
		fmt.Fprintf(&out, "created %s\n", vaultFile)
	}
	group(s.Moved, will("moved to ", "would move to ")+vaultFile)
	group(s.Unchanged, "unchanged, the vault has the value already")
	group(s.Kept, "kept the vault's other value")
	group(s.Skipped, "skipped, set to nothing")
	if len(s.LeftBehind) > 0 {
		fmt.Fprintf(&out, "left behind in %s, though it looks like a secret (%d):\n", envFile, len(s.LeftBehind))
		for _, l := range s.LeftBehind {
			fmt.Fprintf(&out, "  %s (line %d: %s); take it with: %s\n", l.Name, l.Line, l.Reason, l.Include)
		}
	}
	if prunes {
		fmt.Fprintf(&out, "%s the lines of %s from %s\n", will("removed", "would remove"), count(len(s.Moved)+len(s.Unchanged), "variable"), envFile)
	}
	if len(s.Moved)+len(s.Unchanged)+len(s.Kept) == 0 {
		fmt.Fprintf(&out, "nothing to move: %s sets none of the chosen names to a value\n", envFile)
	}
	return out.Bytes()
}
