package main

import (
	"github.com/mazevault/vault-tool/internal/render"
)

// renderSummary is what --json prints, once a rendering with --watch.
type renderSummary struct {
	Directory string   `json:"directory,omitempty"`
	Output    string   `json:"output,omitempty"` // of a template, instead of the directory
	Changed   bool     `json:"changed"`
	Written   []string `json:"written"`
	Unchanged []string `json:"unchanged"`
	Removed   []string `json:"removed"`
}

// reportRender says what was done, by names. While watching only what changes is of interest.
func (a *app) reportRender(job *renderJob, r render.Report) error {
	for _, line := range []struct {
		names []string
		what  string
	}{
		{r.Written, "wrote"}, {r.Removed, "removed"}, {r.Unchanged, "unchanged:"},
	} {
		switch {
		case len(line.names) == 0 || job.watch && r.Changed() && line.what == "unchanged:":
		case job.dir == "":
			a.note("%s %s", line.what, join(line.names))
		default:
			a.note("%s %s in %s", line.what, join(line.names), job.place())
		}
	}
	if r.Closed {
		a.warn("the owner of the files cannot enter %s, which keeps the owner and mode that it had; use a directory below it, which is made", job.place())
	}
	if !a.json {
		return nil
	}
	return a.printJSON(renderSummary{
		Directory: job.dir, Output: job.output, Changed: r.Changed(),
		Written: orEmpty(r.Written), Unchanged: orEmpty(r.Unchanged), Removed: orEmpty(r.Removed),
	})
}

// orEmpty makes an array of JSON of no names, instead of null.
func orEmpty(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

// checkRender looks at what is selected before anything is made. It warns of a selection that selects nothing: a name that is
// misspelt leaves a service without its secret.
func (a *app) checkRender(job *renderJob, s render.Secrets) error {
	names := s.Names()
	if err := a.checkDelivered(job.Selection, names); err != nil {
		return err
	}
	if err := requireSelected(job.Selection, job.require, names, s.Use); err != nil {
		return err
	}
	if job.dir == "" {
		return nil
	}
	if err := refuseReferences(s, job.Names(names)); err != nil {
		return err
	}
	return render.CheckNames(job.Names(names))
}
