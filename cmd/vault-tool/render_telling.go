package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/mazevault/vault-tool/internal/pidfile"
	"github.com/mazevault/vault-tool/internal/render"
)

// renderHook tells a program that files have changed.
type renderHook struct {
	flag string
	run  func(context.Context, *renderWatch) error
}

// hooks are what the options have for telling. Both flags have an effect with --watch only.
func (job *renderJob) hooks() []renderHook {
	var hooks []renderHook
	if job.onChange != "" {
		hooks = append(hooks, renderHook{"--on-change", func(ctx context.Context, w *renderWatch) error { return w.runOnChange(ctx) }})
	}
	if job.signal != "" {
		hooks = append(hooks, renderHook{"--signal", func(context.Context, *renderWatch) error { return pidfile.Signal(job.pidFile, job.signo) }})
	}
	return hooks
}

// telling follows a change of the files (see render.Report) until the programs that read them have been told.
type telling struct {
	hooks []renderHook

	due     chan string   // the change that the hooks are to be run for next, at most one
	results chan hookRuns // what became of it

	latest  string // change of the files
	remade  int    // how often this process made them anew in a place it had rendered to
	asked   string // the one that is due or in work
	told    string // the one for which the hooks have succeeded
	problem string // the failure that was reported last, with its change; "" when there is none
}

// hookRuns are what came of running all hooks for a change.
type hookRuns struct {
	change string
	failed []string // how, without those that succeeded
}

func newTelling(hooks []renderHook) *telling {
	return &telling{hooks: hooks, due: make(chan string, 1), results: make(chan hookRuns)}
}

// rendered notes what a rendering found or did. The first of a process finds what an earlier one left untold; the first one
// to a place has nothing to tell, unless this process has rendered there before and somebody removed the files.
func (t *telling) rendered(r render.Report, firstOfProcess bool) {
	t.latest = r.Change
	switch {
	case firstOfProcess:
		t.told = r.Told
	case r.First && r.Changed() && r.Change == "":
		t.latest = removedAndMade + strconv.Itoa(t.remade)
		t.remade++
	}
}

// removedAndMade stands for the change that nobody has recorded: the account went with the files.
const removedAndMade = "made anew "

// ask has the hooks run where a change is to be told, in place of an earlier change that has not been begun with.
func (t *telling) ask() {
	if len(t.hooks) == 0 || t.latest == "" || t.latest == t.told || t.latest == t.asked {
		return
	}
	select {
	case <-t.due:
	default:
	}
	t.asked = t.latest
	t.due <- t.latest
}

// ended takes in what came of the hooks. It returns whether that is to be reported: a failure once for a change, and its end.
func (t *telling) ended(r hookRuns) (report bool) {
	if r.change == t.asked {
		t.asked = ""
	}
	before := t.problem
	if len(r.failed) == 0 {
		t.told, t.problem = r.change, ""
		return before != ""
	}
	t.problem = r.change + strings.Join(r.failed, "")
	return t.problem != before
}

// failed tells that the hooks have to be run again for the latest change.
func (t *telling) failed() bool {
	return len(t.hooks) > 0 && t.latest != "" && t.latest != t.told && t.latest != t.asked
}
