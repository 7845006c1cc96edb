package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"github.com/mazevault/vault-tool/internal/scan"
)

// scanReport prints what is found and counts it.
type scanReport struct {
	*app
	notSearched []string
	files       int // read to their end
	objects     int // of git
	findings    int
	notRead     int
}

// scanPlace is a file, or an object of git with a path that a commit has it under, if there is one.
type scanPlace struct {
	File   string `json:"file,omitempty"`
	Object string `json:"object,omitempty"`
	Path   string `json:"path,omitempty"`
}

// foundJSON is what --json prints for each value that is found; docs/json.md describes it.
type foundJSON struct {
	scanPlace
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Name   string `json:"name"`
}

// scanSummaryJSON is in the last line of --json.
type scanSummaryJSON struct {
	Findings    int      `json:"findings"`
	Files       int      `json:"files"`
	Objects     int      `json:"objects"`
	NotRead     int      `json:"not_read"`
	NotSearched []string `json:"not_searched"`
	ExitCode    int      `json:"exit_code"`
}

// found prints a line for each name of a value that was found.
func (r *scanReport) found(place scanPlace, f scan.Finding) error {
	for _, name := range f.Names {
		r.findings++
		if r.json {
			if err := r.printJSON(foundJSON{place, f.Line, f.Column, name}); err != nil {
				return err
			}
			continue
		}
		where, path := place.File, ""
		if place.Object != "" {
			where = place.Object
		}
		if place.Path != "" {
			path = " (" + place.Path + ")"
		}
		if err := r.print([]byte(printable(fmt.Sprintf("%s:%d:%d: %s%s", where, f.Line, f.Column, name, path)) + "\n")); err != nil {
			return err
		}
	}
	return nil
}

// unreadable says that a file was not scanned, or not to its end.
func (r *scanReport) unreadable(path string, err error) {
	r.notRead++
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	r.warn("%s was not scanned: %v", path, err)
}

// end prints the summary and returns what the command ends with.
func (r *scanReport) end() error {
	err := r.outcome()
	code := exitOK
	if err != nil {
		code = describe(err).code
	}
	if r.json {
		summary := struct {
			Summary scanSummaryJSON `json:"summary"`
		}{scanSummaryJSON{r.findings, r.files, r.objects, r.notRead, append([]string{}, r.notSearched...), code}}
		if err := r.printJSON(summary); err != nil {
			return err
		}
	}
	if err == nil {
		r.note("%s: no value of the vault", r.scanned())
	}
	return err
}

func (r *scanReport) scanned() string {
	text := count(r.files, "file")
	if r.objects > 0 {
		text += " and " + count(r.objects, "object")
	}
	return text + " scanned"
}

func (r *scanReport) outcome() error {
	switch {
	case r.findings > 0:
		return &failure{code: exitConflict, kind: kindValueFound, err: fmt.Errorf("values of the vault were found at %s", count(r.findings, "place")),
			hint: "take them out; a value that others have seen, or that git has committed, has to be changed where it is used"}
	case r.notRead > 0:
		return &failure{code: exitFailed, err: fmt.Errorf("%s could not be scanned; in the others there is no value of the vault", count(r.notRead, "file")),
			hint: "the warnings above name them and say why"}
	}
	return nil
}

func compareObjects(x, y objectFinding) int { return cmp.Compare(x.id, y.id) }
