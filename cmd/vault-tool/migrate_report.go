package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/dotenv"
)

// migrateSummary is the report, and the JSON of docs/json.md. Lines are numbered from 1.
type migrateSummary struct {
	EnvFile    string             `json:"env_file"`
	VaultFile  string             `json:"vault_file"`
	DryRun     bool               `json:"dry_run"`
	Refused    bool               `json:"refused"`
	Created    bool               `json:"vault_created"`
	Moved      []string           `json:"moved"`
	Unchanged  []string           `json:"unchanged"`
	Kept       []string           `json:"kept"`
	Differing  []string           `json:"differing"`
	Skipped    []string           `json:"skipped"`
	HeldBack   []leftVariable     `json:"held_back"`
	LeftBehind []leftVariable     `json:"left_behind"`
	IncludeAll string             `json:"include_all"` // the options that take all that was left behind
	NoValue    []bareName         `json:"without_value"`
	Unread     []int              `json:"unread_lines"`
	Duplicates []dotenv.Duplicate `json:"duplicates"`
	Problems   []string           `json:"problems"`
	Pruned     bool               `json:"pruned"`
	ETag       string             `json:"etag,omitempty"`
}

func (m *migration) summary() migrateSummary {
	s := migrateSummary{
		EnvFile:    m.options.envFile,
		VaultFile:  m.vaultPath,
		DryRun:     m.options.dryRun,
		Refused:    m.refused,
		Created:    m.created && !m.refused,
		Moved:      m.names(moved),
		Unchanged:  m.names(unchanged),
		Kept:       m.names(kept),
		Differing:  m.names(differs),
		Skipped:    append([]string{}, m.skipped...),
		HeldBack:   append([]leftVariable{}, m.heldBack...),
		LeftBehind: append([]leftVariable{}, m.left...),
		NoValue:    append([]bareName{}, m.bare...),
		Unread:     append([]int{}, m.unread...),
		Duplicates: m.file.Duplicates(),
		Problems:   []string{},
		ETag:       m.written.ETag,
		Pruned:     m.pruned != nil && !m.options.dryRun && !m.refused,
	}
	var includes []string
	for _, l := range m.left {
		if l.Include != "" {
			includes = append(includes, l.Include)
		}
	}
	s.IncludeAll = strings.Join(includes, " ")
	for _, p := range m.problems {
		s.Problems = append(s.Problems, p.err.Error())
	}
	return s
}

// reportMigration tells by name what was done, or would be done by a dry run or a run that was refused. The report is a
// note, but what a dry run is for.
func (a *app) reportMigration(m *migration) error {
	s := m.summary()
	if a.json {
		return a.printJSON(s)
	}
	text := m.text(s)
	if err := a.tellReport(text, s.DryRun); err != nil || s.DryRun {
		return err
	}
	a.noteHistory(m.written, "")
	return nil
}

// text is the report for people.
func (m *migration) text(s migrateSummary) []byte {
	var out bytes.Buffer
	envFile, vaultFile := printable(m.fileName()), printable(s.VaultFile)
	only := s.DryRun || s.Refused
	verb := map[bool]string{false: "copied to ", true: "moved to "}[m.options.prune]
	if only {
		verb = map[bool]string{false: "would copy to ", true: "would move to "}[m.options.prune]
	}
	if s.Created {
		fmt.Fprintf(&out, "created %s\n", vaultFile)
	}
	group(&out, s.Moved, verb+vaultFile)
	group(&out, s.Unchanged, "unchanged, the vault has the value already")
	group(&out, s.Kept, "kept the vault's other value")
	group(&out, s.Differing, "the vault has another value")
	group(&out, s.Skipped, "skipped, set to nothing")
	if len(s.HeldBack) > 0 {
		fmt.Fprintf(&out, "not taken from %s unless named in full (%d):\n", envFile, len(s.HeldBack))
		for _, l := range s.HeldBack {
			fmt.Fprintf(&out, "  %s (line %d: %s); take it with: %s\n", printable(l.Name), l.Line, l.Reason, printable(l.Include))
		}
	}
	if len(s.LeftBehind) > 0 {
		fmt.Fprintf(&out, "left behind in %s, though it looks like a secret (%d):\n", envFile, len(s.LeftBehind))
		for _, l := range s.LeftBehind {
			fmt.Fprintf(&out, "  %s (line %d: %s)\n", l.Name, l.Line, l.Reason)
		}
	}
	if s.IncludeAll != "" {
		fmt.Fprintf(&out, "to take what was left behind, add:\n  %s\n", s.IncludeAll)
	}
	m.writeOddities(&out, s)
	m.writeEnd(&out, s, only)
	return out.Bytes()
}

// group writes names under a heading, if there are any.
func group(out *bytes.Buffer, names []string, heading string) {
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(out, "%s (%d):\n", heading, len(names))
	for _, name := range names {
		fmt.Fprintf(out, "  %s\n", printable(name))
	}
}

// writeOddities tells what is odd about the file, though no error.
func (m *migration) writeOddities(out *bytes.Buffer, s migrateSummary) {
	if len(s.NoValue) > 0 {
		fmt.Fprintf(out, "stays in %s, a name without a value (%d):\n", printable(m.fileName()), len(s.NoValue))
		for _, bare := range s.NoValue {
			if bare.Name == "" {
				fmt.Fprintf(out, "  line %d\n", bare.Line)
			} else {
				fmt.Fprintf(out, "  %s (line %d)\n", bare.Name, bare.Line)
			}
		}
	}
	if len(s.Duplicates) > 0 {
		fmt.Fprintf(out, "set more than once, the last line counts (%d):\n", len(s.Duplicates))
		for _, d := range s.Duplicates {
			fmt.Fprintf(out, "  %s (lines %s)\n", d.Name, lineNumbers(d.Lines))
		}
	}
}

// writeEnd tells what becomes of the file, and what there is left to do.
func (m *migration) writeEnd(out *bytes.Buffer, s migrateSummary, only bool) {
	envFile, inVault := printable(m.fileName()), len(s.Moved)+len(s.Unchanged)
	switch {
	case m.pruned != nil && only:
		fmt.Fprintf(out, "would remove the lines of %s from %s\n", count(inVault, "variable"), envFile)
	case m.pruned != nil:
		fmt.Fprintf(out, "removed the lines of %s from %s\n", count(inVault, "variable"), envFile)
	case inVault == 0 || only:
	case m.options.envFile == stdinName || descriptor.Named(m.options.envFile):
		fmt.Fprintf(out, "the values stand in the clear where %s came from: remove them there\n", envFile)
	default:
		fmt.Fprintf(out, "%s still has these values in the clear: to remove their lines, run the command again with --prune\n", envFile)
	}
	if inVault+len(s.Kept)+len(s.Differing)+len(s.Problems) == 0 {
		fmt.Fprintf(out, "nothing to move: %s sets none of the chosen names to a value\n", envFile)
	}
}
