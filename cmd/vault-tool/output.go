package main

import (
	"strconv"

	"github.com/mazevault/vault-tool/internal/jsontext"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/terminal"
)

// count writes a number with its noun: "1 secret", "27 secrets".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// printLines writes one name a line, in one write.
func (a *app) printLines(names []string) error {
	size := 0
	for _, name := range names {
		size += len(name) + 1
	}
	out := make([]byte, 0, size)
	for _, name := range names {
		out = append(out, name...)
		out = append(out, '\n')
	}
	return a.print(out)
}

// nameList is what a command prints under --json that prints names and nothing else.
type nameList struct {
	Names []string `json:"names"`
}

// printNames writes names as lines or, with --json, as an object.
func (a *app) printNames(names []string) error {
	if a.json {
		return a.printJSON(nameList{names})
	}
	return a.printLines(names)
}

// tellReport writes what was done, as a note, or what a dry run was asked for.
func (a *app) tellReport(text []byte, dryRun bool) error {
	if dryRun {
		return a.print(text)
	}
	if !a.quiet {
		_, _ = a.stderr.Write(text) // the work is done, whoever listens
	}
	return nil
}

// printSecret writes what fill appends to a buffer of size bytes in locked memory. On a terminal what would steer it is escaped as JSON has
// it, so that JSON stays what it is.
func (a *app) printSecret(size int, fill func(dst []byte) []byte) error {
	buf, err := lockedmem.New(size)
	if err != nil {
		return err
	}
	defer buf.Destroy()
	text := fill(buf.Bytes()[:0])
	if terminal.Is(a.stdout) {
		return a.printVisible(text, "")
	}
	return a.print(text)
}

// printVisible writes values and an end to a terminal, and says so where it shows them otherwise than they are.
func (a *app) printVisible(values []byte, end string) error {
	size, changed := terminal.VisibleLen(values)
	buf, err := lockedmem.New(size + len(end))
	if err != nil {
		return err
	}
	defer buf.Destroy()
	err = a.print(append(terminal.AppendVisible(buf.Bytes()[:0], values), end...))
	if err == nil && changed {
		a.note("Control characters are shown escaped on a terminal; a pipe or a file gets them as they are.")
	}
	return err
}

// jsonPairLen and appendJSONPair write `"NAME":"value"`.
func jsonPairLen(name string, value []byte) int {
	return jsontext.StringLen([]byte(name)) + 1 + jsontext.StringLen(value)
}

func appendJSONPair(dst []byte, name string, value []byte) []byte {
	dst = jsontext.AppendString(dst, []byte(name))
	dst = append(dst, ':')
	return jsontext.AppendString(dst, value)
}
