package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mazevault/vault-tool/internal/credentials"
	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/internal/steering"
	"github.com/mazevault/vault-tool/vaultfile"
)

// parse reads the file, decides about every variable and copies the values of the chosen ones.
func (m *migration) parse(dialect dotenv.Dialect) error {
	file, err := dotenv.Parse(m.source.Bytes(), dialect)
	if err != nil {
		return badInput("nothing was changed", "%s: %w", m.fileName(), err)
	}
	m.file = file
	defer file.Wipe()
	m.noteUnmatched()
	for entry := range file.Effective() {
		if entry.Stray && !m.choosesByName(entry.Name) {
			continue // one of the unread lines
		}
		if err := m.consider(entry); err != nil {
			m.problems = append(m.problems, problem{entry, shownName(entry, err), err, 1})
		}
	}
	m.findUnread()
	return nil
}

// consider decides about one variable. The error is about a chosen variable that cannot be taken.
func (m *migration) consider(entry *dotenv.Entry) error {
	literal := slices.Contains(m.options.include, entry.Name)
	belongs := belongsOutside(entry.Name)
	switch {
	case !m.chooses(entry.Name):
		if belongs == "" {
			m.considerLeft(entry)
		}
		return nil
	case belongs != "" && !literal:
		m.holdBack(entry, belongs)
		return nil
	case entry.Bare:
		return m.considerBare(entry)
	case entry.Err != nil:
		return entry.Err
	case entry.Cut:
		return fmt.Errorf("line %d, %s: the value seems to go on below, but is not in quotes", entry.Line, entry.Name)
	case len(entry.Value) == 0:
		m.skipped = append(m.skipped, entry.Name)
		return nil
	}
	if err := vaultfile.ValidateName(entry.Name); err != nil {
		return fmt.Errorf("line %d: %w", entry.Line, err)
	}
	if reason := stopgap(entry); reason != "" && !literal {
		m.holdBack(entry, reason)
		return nil
	}
	value, err := m.values.Copy(entry.Value)
	if err != nil {
		return err
	}
	m.chosen = append(m.chosen, chosenSecret{name: entry.Name, value: value})
	return nil
}

// shownName returns the name of an entry with an error, if the parser says that it is no piece of a value.
func shownName(entry *dotenv.Entry, err error) string {
	var doubtful *dotenv.DoubtfulError
	var syntax *dotenv.SyntaxError
	switch {
	case errors.As(err, &doubtful):
		return doubtful.Name
	case errors.As(err, &syntax):
		return syntax.Name
	}
	return entry.Name
}

// belongsOutside says why a variable has no place in a vault, or "".
func belongsOutside(name string) string {
	switch {
	case steering.Vault(name):
		return "says where the vault or its key is"
	case steering.Code(name):
		return "steers how programs run"
	case steering.Host(name):
		return "belongs to the host"
	}
	return ""
}

// stopgap says what stands in the place of a secret, or "".
func stopgap(entry *dotenv.Entry) string {
	switch {
	case credentials.IsDriver(entry.Name, entry.Value):
		return "names a driver"
	case credentials.IsPlaceholder(entry.Value):
		return "a placeholder"
	}
	return ""
}

func (m *migration) holdBack(entry *dotenv.Entry, reason string) {
	m.heldBack = append(m.heldBack, leftVariable{entry.Name, entry.Line, reason, includeOption(entry.Name)})
}

// includeOption is the option that takes a variable whatever it is.
func includeOption(name string) string { return "--include " + shellWord(name) }

// considerBare notes a chosen name without a value, unless the file sets it elsewhere: readers do not agree which counts.
func (m *migration) considerBare(entry *dotenv.Entry) error {
	if line, ok := m.assignments()[entry.Name]; ok {
		return fmt.Errorf("line %d, %s: no = behind the name, which line %d sets; remove one of the two", entry.Line, entry.Name, line)
	}
	name := entry.Name
	if !strings.Contains(name, "_") && !m.choosesByName(name) {
		name = "" // it may be a line of Base32
	}
	m.bare = append(m.bare, bareName{name, entry.Line})
	return nil
}

// assignments returns the last line on which each name is set.
func (m *migration) assignments() map[string]int {
	if m.assigned == nil {
		m.assigned = make(map[string]int)
		for i := range m.file.Entries {
			if e := &m.file.Entries[i]; !e.Bare && !e.Stray {
				m.assigned[e.Name] = e.Line
			}
		}
	}
	return m.assigned
}

// considerLeft notes a variable that was not chosen but looks like a secret. Of a line that could not
// be read the parser says whether its name is safe to show: it may be a piece of a broken value.
func (m *migration) considerLeft(entry *dotenv.Entry) {
	value := entry.Value
	if entry.Err != nil {
		if shownName(entry, entry.Err) == "" || entry.Bare {
			return
		}
		value = m.file.RawValue(entry)
	}
	if vaultfile.ValidateName(entry.Name) != nil {
		return
	}
	reason, ok := credentials.LooksSecret(entry.Name, value)
	switch {
	case !ok:
	case credentials.IsPlaceholder(value):
		m.holdBack(entry, "a placeholder")
	case entry.Err != nil || entry.Cut:
		m.left = append(m.left, leftVariable{Name: entry.Name, Line: entry.Line, Reason: reason + ", but cannot be read with certainty"})
	default:
		m.left = append(m.left, leftVariable{entry.Name, entry.Line, reason, includeOption(entry.Name)})
	}
}

// chooses tells whether the options choose a name. What is excluded is not chosen, whatever else.
func (m *migration) chooses(name string) bool {
	if selection.Matches(m.options.exclude, name) {
		return false
	}
	return m.options.all || m.choosesByName(name)
}

// choosesByName tells whether a name is known or asked for, not just one of all.
func (m *migration) choosesByName(name string) bool {
	return credentials.IsKnown(name) || selection.Matches(m.options.include, name)
}

// noteUnmatched tells of the options that match nothing: they may be misspelt. A slip in --exclude puts a variable into the
// vault that should not go there, so that is a warning.
func (m *migration) noteUnmatched() {
	var names []string
	for entry := range m.file.Effective() {
		names = append(names, entry.Name)
	}
	literals, globs := selection.Selection{Only: m.options.include, Except: m.options.exclude}.Unmatched(names)
	for _, u := range slices.Concat(literals, globs) {
		if u.Flag == "except" {
			m.a.warn("no variable in %s matches --exclude %s", m.fileName(), u.Glob)
		} else {
			m.a.note("no variable in %s matches --include %s", m.fileName(), u.Glob)
		}
	}
}

// findUnread finds the lines in which no variable is seen: a choice of names cannot reach them. With --all they are a
// problem, but for the lines that belong to a variable that is excluded or a problem itself.
func (m *migration) findUnread() {
	told := make(map[*dotenv.Entry]bool)
	for _, p := range m.problems {
		told[p.entry] = true
	}
	var lines []int
	for i := range m.file.Entries {
		entry := &m.file.Entries[i]
		if m.choosesByName(entry.Name) || !entry.Stray && !m.isUntold(entry) {
			continue
		}
		if n := len(m.unread); n == 0 || m.unread[n-1] != entry.Line {
			m.unread = append(m.unread, entry.Line)
		}
		if !entry.Stray {
			continue
		}
		if owner := entry.Owner; owner == nil || !told[owner] && !selection.Matches(m.options.exclude, owner.Name) {
			lines = append(lines, entry.Line)
		}
	}
	if m.options.all && len(lines) > 0 {
		m.problems = append(m.problems, problem{err: unreadError(lines), lines: len(lines)})
	}
	m.noteUnread()
}

// isUntold tells whether an entry cannot be read, and nothing else tells so: it is not chosen, and its name may be a piece of
// a value.
func (m *migration) isUntold(entry *dotenv.Entry) bool {
	return entry.Err != nil && !entry.Bare && shownName(entry, entry.Err) == "" &&
		!m.options.all && !selection.Matches(m.options.exclude, entry.Name)
}

func unreadError(lines []int) error {
	if len(lines) == 1 {
		return fmt.Errorf("line %d: no assignment (NAME=value)", lines[0])
	}
	return fmt.Errorf("lines %s: no assignments (NAME=value)", lineNumbers(lines))
}

// lineNumbers lists lines: 3, 4, 9 or, where that would be long, as ranges: 3-40, 51.
func lineNumbers(lines []int) string {
	const mostSingle = 10
	var parts []string
	for i := 0; i < len(lines); {
		last := i
		for len(lines) > mostSingle && last+1 < len(lines) && lines[last+1] <= lines[last]+1 {
			last++
		}
		part := strconv.Itoa(lines[i])
		if lines[last] > lines[i] {
			part += "-" + strconv.Itoa(lines[last])
		}
		parts = append(parts, part)
		i = last + 1
	}
	return join(parts)
}

func (m *migration) noteUnread() {
	switch len(m.unread) {
	case 0:
	case 1:
		m.a.note("1 line of %s is not an assignment and stays: %d", m.fileName(), m.unread[0])
	default:
		m.a.note("%d lines of %s are not assignments and stay: %s", len(m.unread), m.fileName(), lineNumbers(m.unread))
	}
}

// refuse returns the error about what cannot be read, if there is such, and else err, how the run ended.
func (m *migration) refuse(err error) error {
	if len(m.problems) == 0 || err != nil && describe(err).code == exitInterrupted {
		return err
	}
	if err != nil && !m.refused {
		_ = m.plan(emptyVault{}) // the report then does without what the vault has
	}
	m.refused = true
	return m.problemError()
}

func (m *migration) problemError() error {
	var all []error
	var excludes []string
	count, doubtful, lines := 0, false, false
	for _, p := range m.problems {
		all = append(all, p.err)
		count += p.lines
		var doubt *dotenv.DoubtfulError
		doubtful = doubtful || errors.As(p.err, &doubt)
		lines = lines || p.entry == nil
		if p.name != "" {
			excludes = append(excludes, "--exclude "+shellWord(p.name))
		}
	}
	hint := nothingChanged + "; correct the file"
	if doubtful {
		hint += ", or say whose reading counts with --dialect"
	}
	if lines {
		hint += ", or put a # in front of lines that are to stay"
	}
	if len(excludes) > 0 {
		hint += ", or leave variables out: " + strings.Join(excludes, " ")
	}
	return &failure{code: exitUsage, err: fmt.Errorf("%s: %w", m.fileName(), joinLines(all, count)), hint: hint}
}

// joinLines makes one error of several about so many lines, each on a line of its own.
func joinLines(problems []error, count int) error {
	if len(problems) == 1 {
		return problems[0]
	}
	for i := 1; i < len(problems); i++ {
		problems[i] = fmt.Errorf("  %w", problems[i]) // errors.Join puts them on lines of their own
	}
	return fmt.Errorf("%d lines cannot be read with certainty:\n  %w", count, errors.Join(problems...))
}
