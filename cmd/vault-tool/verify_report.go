package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/progress"
	"github.com/mazevault/vault-tool/internal/verify"
)

// verifyReport tells of each file as its turn comes, and counts.
type verifyReport struct {
	a           *app
	severalKeys bool
	pathWidth   int
	bar         *progress.Bar
	held        bool // lines wait for the end
	lines       bytes.Buffer
	warnings    []string
	now         time.Time
	flushed     time.Time
	counts      map[verify.Status]int
}

func newVerifyReport(a *app, v *verify.Verifier, files []verify.File) *verifyReport {
	const widest = 60
	r := &verifyReport{a: a, severalKeys: len(v.Keys.Names()) > 1, now: a.clock(), counts: make(map[verify.Status]int)}
	for _, row := range failedStatuses {
		r.counts[row.status] = 0
	}
	r.counts[verify.OK], r.counts[verify.Skipped] = 0, 0
	for _, f := range files {
		r.pathWidth = max(r.pathWidth, min(widest, utf8.RuneCountInString(printable(f.Path))))
	}
	return r
}

// verifiedJSON is a line of --json.
type verifiedJSON struct {
	Path       string          `json:"path"`
	Status     verify.Status   `json:"status"`
	Key        string          `json:"key,omitempty"`
	Secrets    *int            `json:"secrets,omitempty"`
	Lacks      []string        `json:"lacks,omitempty"`
	Message    string          `json:"message,omitempty"`
	Time       *string         `json:"time,omitempty"`
	AgeSeconds *int64          `json:"age_seconds,omitempty"`
	Against    *differenceJSON `json:"against,omitempty"`
}

type differenceJSON struct {
	Missing   []string `json:"missing"`
	Extra     []string `json:"extra"`
	Older     []string `json:"older"`
	Different []string `json:"different"`
}

// tell reports a result.
func (r *verifyReport) tell(result verify.Result) error {
	r.counts[result.Status]++
	r.bar.Step()
	if result.Warn {
		r.warnings = append(r.warnings, result.Path+" "+result.Reason)
	}
	if r.a.json {
		if err := printJSONTo(&r.lines, r.asJSON(result)); err != nil {
			return err
		}
	} else {
		r.lines.WriteString(r.asLine(result))
	}
	if r.held || r.lines.Len() < flushedBytes && r.a.clock().Sub(r.flushed) < flushedAfter {
		return nil
	}
	return r.flush()
}

// What is told of a thousand files takes a write for some hundreds. Of slow files each is told at once, or with the next.
const (
	flushedBytes = 16 << 10
	flushedAfter = 200 * time.Millisecond
)

func (r *verifyReport) flush() error {
	r.flushed = r.a.clock()
	if r.lines.Len() == 0 {
		return nil
	}
	defer r.lines.Reset()
	return r.a.print(r.lines.Bytes())
}

func (r *verifyReport) asJSON(result verify.Result) verifiedJSON {
	line := verifiedJSON{Path: result.Path, Status: result.Status, Key: result.Key, Lacks: result.Lacks, Message: printable(result.Reason)}
	if result.Key != "" {
		line.Secrets = &result.Secrets
	}
	if d := result.Difference; d != nil {
		age := int64(max(r.now.Sub(result.Time), 0) / time.Second)
		line.Time, line.AgeSeconds, line.Against = timeJSON(result.Time), &age, (*differenceJSON)(d)
	}
	return line
}

func (r *verifyReport) asLine(result verify.Result) string {
	detail := result.Reason
	if detail == "" {
		detail = openedText(result, r.severalKeys)
	}
	if result.Difference != nil {
		detail += ", " + shownAge(max(r.now.Sub(result.Time), 0)) + " old; " + differenceText(result.Difference)
	}
	path := printable(result.Path)
	padding := strings.Repeat(" ", max(0, r.pathWidth-utf8.RuneCountInString(path)))
	return fmt.Sprintf("%-11s  %s%s  %s\n", strings.ReplaceAll(string(result.Status), "_", " "), path, padding, printable(detail))
}

// end takes the bar away and prints what was held.
func (r *verifyReport) end() error {
	r.bar.Remove()
	for _, warning := range r.warnings {
		r.a.warn("%s", warning)
	}
	return r.flush()
}

// verifiedSummaryJSON is the last line of --json.
type verifiedSummaryJSON struct {
	Files    int                   `json:"files"`
	Passed   int                   `json:"passed"`
	Failed   int                   `json:"failed"`
	Skipped  int                   `json:"skipped"`
	Statuses map[verify.Status]int `json:"statuses"` // how many of each, also of none
	ExitCode int                   `json:"exit_code"`
}

// failedStatuses are the exit codes of all that does not pass; what comes first decides.
var failedStatuses = []struct {
	status verify.Status
	code   int
	text   string
}{
	{verify.WrongKey, exitCannotOpen, "that no key opens"},
	{verify.Damaged, exitCannotOpen, "damaged"},
	{verify.CutShort, exitCannotOpen, "cut short"},
	{verify.NotVault, exitCannotOpen, "no vault"},
	{verify.BadContent, exitCannotOpen, "not well formed"},
	{verify.Unreadable, exitFailed, "unreadable"},
	{verify.Missing, exitNotFound, "missing"},
	{verify.LacksNames, exitNotFound, "without a required name"},
}

// verdict sums up, and is the error if not all files pass.
func (r *verifyReport) verdict() error {
	passed, failed, code := r.counts[verify.OK], 0, exitOK
	var texts []string
	for _, row := range failedStatuses {
		if n := r.counts[row.status]; n > 0 {
			failed += n
			texts = append(texts, fmt.Sprintf("%d %s", n, row.text))
			if code == exitOK {
				code = row.code
			}
		}
	}
	if passed+failed == 0 {
		code = exitNotFound
	}
	if r.a.json {
		var last struct {
			Summary verifiedSummaryJSON `json:"summary"`
		}
		last.Summary = verifiedSummaryJSON{passed + failed, passed, failed, r.counts[verify.Skipped], r.counts, code}
		if err := r.a.printJSON(last); err != nil {
			return err
		}
	}
	switch {
	case passed+failed == 0:
		return &failure{code: code, err: fmt.Errorf("there is no backup to verify (%d skipped)", r.counts[verify.Skipped]), hint: "check the path, and --exclude"}
	case failed > 0:
		return &failure{code: code, err: fmt.Errorf("%d of %s failed: %s", failed, count(passed+failed, "file"), strings.Join(texts, ", ")), hint: verifyHint(r.counts)}
	}
	r.a.note("All of %s passed.", count(passed, "file"))
	return nil
}

// verifyHint is the next step after the worst that was found.
func verifyHint(counts map[verify.Status]int) string {
	switch {
	case counts[verify.WrongKey] > 0:
		return "give the keys from before a rotation too, with --key-file; a backup that no key opens is lost, so make a new one now"
	case counts[verify.Damaged]+counts[verify.CutShort]+counts[verify.BadContent] > 0:
		return "a damaged backup cannot be restored: make a new one, and check the disk it is on"
	case counts[verify.NotVault] > 0:
		return "keep backups in a directory of their own, or leave other files out with --exclude"
	case counts[verify.Unreadable] > 0:
		return "run the command as a user who may read the backups"
	case counts[verify.LacksNames] > 0:
		return "see which backups are from before a secret was added: vault-tool verify --against LIVE"
	}
	return "check the paths"
}
