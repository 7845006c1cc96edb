package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/mazevault/vault-tool/internal/children"
	"github.com/mazevault/vault-tool/internal/render"
	"github.com/mazevault/vault-tool/provider"
	"github.com/mazevault/vault-tool/vaultfile"
)

// What fails while watching, a rendering or the telling of it, is tried again after firstRenderRetry, and then after twice the
// time as long as it fails, up to lastRenderRetry: the lock may be held, the file system full, the program not started yet.
const (
	firstRenderRetry = time.Second
	lastRenderRetry  = 30 * time.Second
)

// renderRetry is the timer for that.
type renderRetry struct {
	*time.Timer
	delay time.Duration
}

func newRenderRetry() *renderRetry {
	r := &renderRetry{time.NewTimer(0), firstRenderRetry}
	r.Stop()
	return r
}

// again sets the timer, to twice the time of the last.
func (r *renderRetry) again() {
	r.Reset(r.delay)
	r.delay = min(2*r.delay, lastRenderRetry)
}

// over stops the timer, and makes the next failure the first.
func (r *renderRetry) over() {
	r.Stop()
	r.delay = firstRenderRetry
}

// renderWatch is the state of a command with --watch.
type renderWatch struct {
	*app
	job      *renderJob
	provider *provider.Provider
	telling  *telling
	children children.Keeper
	rendered bool   // at least once
	problem  string // the failure that was reported last, "" when there is none
}

// watchRender renders, and again whenever the vault changes, until ctx ends. A first rendering that fails is an error; later
// failures are reported, and the files that are there stay.
func (a *app) watchRender(ctx context.Context, job *renderJob) (err error) {
	p, err := provider.Open(ctx, a.providerConfig())
	if err != nil {
		return endOfWatch(ctx, err)
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	debug.SetGCPercent(100) // the runtime's default: this command lasts
	w := &renderWatch{app: a, job: job, provider: p, telling: newTelling(job.hooks())}
	if status, err := p.Status(); err == nil && status.ShortKey {
		a.warn("the key in %s has only a few bytes; `vault-tool init` makes a strong one", a.keyName())
	}
	if err := a.checkRender(job, a.scope.Of(p)); err != nil {
		return err
	}
	if err := w.render(ctx); err != nil {
		return endOfWatch(ctx, err)
	}
	w.telling.ask()
	a.finish() // the end may be months away
	a.note("ready; watching %s", a.vaultPath())
	if err := a.tellSupervisor("READY=1"); err != nil {
		a.warn("cannot tell the supervisor (NOTIFY_SOCKET) that the files are ready: %v", err)
	}

	w.children.Adopt(ctx)
	hooksDone := make(chan struct{})
	go func() {
		defer close(hooksDone)
		w.runHooks(ctx)
	}()
	err = w.run(ctx)
	<-hooksDone
	_ = a.tellSupervisor("STOPPING=1") // said already, if it cannot be told
	return endOfWatch(ctx, err)
}

// endOfWatch makes SIGTERM, with which supervisors end a service, a normal end.
func endOfWatch(ctx context.Context, err error) error {
	var received *interruption
	if errors.Is(err, context.Canceled) && errors.As(context.Cause(ctx), &received) && received.signal == syscall.SIGTERM {
		return nil
	}
	return err
}

// providerConfig makes a provider read what the command line names. An Azure Key Vault comes before the key file in both.
func (a *app) providerConfig() provider.Config {
	return provider.Config{
		VaultFile: a.vaultPath(), KeyFile: a.keyPath(),
		AllowReferences: true, // one that is not rendered is in nobody's way
		AzureURL:        a.azureURL(), AzureSecret: a.azureSecret(), OpenAzure: a.azureForProvider, Deriver: a.deriver,
	}
}

// render does one rendering and reports it.
func (w *renderWatch) render(ctx context.Context) error {
	defer giveBackMemory()
	report, err := w.job.render(ctx, func(use func(render.Secrets) error) error {
		return w.provider.View(func(v *provider.View) error { return use(w.scope.Of(v)) })
	})
	if report.Changed() || err == nil {
		w.telling.rendered(report, !w.rendered)
	}
	if report.Changed() || err == nil && !w.rendered {
		err = errors.Join(err, w.reportRender(w.job, report))
	}
	w.rendered = true
	return err
}

// giveBackMemory clears away what a derivation and a template leave on the heap, which would stay for as long as the process
// waits: 64 MiB of the one, values of the other. The second collection is for what a sync.Pool keeps over the first, such as
// the buffers of package fmt.
func giveBackMemory() {
	debug.FreeOSMemory()
	debug.FreeOSMemory()
}

// run renders after each change until ctx ends, which is its error.
func (w *renderWatch) run(ctx context.Context) error {
	changes := make(chan provider.Change)
	ended := make(chan error, 1)
	go func() {
		ended <- w.provider.Watch(ctx, func(c provider.Change) {
			select {
			case changes <- c:
			case <-ctx.Done():
			}
		})
	}()
	look := make(chan os.Signal, 1)
	signal.Notify(look, hangUp)
	defer signal.Stop(look)
	retry := newRenderRetry()
	for {
		select {
		case <-look:
			w.lookNow(ctx)
		case err := <-ended:
			return err
		case c := <-changes:
			if !w.isDue(c) {
				continue
			}
			retry.over()
			w.update(ctx)
		case <-retry.C:
			w.update(ctx)
		case r := <-w.telling.results:
			w.hooksEnded(r)
		}
		switch {
		case ctx.Err() != nil:
			return <-ended
		case w.problem != "" || w.telling.failed():
			retry.again()
		case w.telling.asked == "":
			retry.over()
		}
	}
}

// hangUp makes a watcher look at the vault at once, where it would wait for a notification or its next look.
const hangUp = syscall.SIGHUP

func (w *renderWatch) lookNow(ctx context.Context) {
	if _, err := w.provider.Reload(ctx); err != nil && ctx.Err() == nil {
		w.warnOf(err, "the files stay as they are for now")
		return
	}
	w.update(ctx)
}

// update renders, reports, and has told what is to be told.
func (w *renderWatch) update(ctx context.Context) {
	err := w.render(ctx)
	if ctx.Err() != nil {
		return
	}
	w.tell(renderFailure(err))
	w.telling.ask()
}

// isDue reports what a change says beside names, and tells whether it names any.
func (w *renderWatch) isDue(c provider.Change) bool {
	names := len(c.Added) + len(c.Changed) + len(c.Removed)
	if c.Warning != nil {
		w.warning(c.Warning)
	}
	switch {
	case c.Err != nil && names > 0:
		w.warnOf(c.Err, "the files get what was read before that")
	case c.Err != nil:
		w.warnOf(c.Err, "the files stay as they are for now")
	case names == 0 && c.Warning == nil:
		w.note("%s opens again", w.vaultPath())
	}
	return names > 0
}

// warning tells what does not keep the files from following the vault.
func (w *renderWatch) warning(err error) {
	if errors.Is(err, provider.ErrSuccessor) {
		w.warn("%v", err)
		fmt.Fprintln(w.stderr, "vault-tool: hint: the key is being changed; where no rotation is under way, find out who put it there")
		return
	}
	w.warn("%v; the files follow the vault all the same, only later", err)
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENOSPC) {
		fmt.Fprintln(w.stderr, "vault-tool: hint: the host's inotify limits are used up; raise fs.inotify.max_user_instances and fs.inotify.max_user_watches (sysctl)")
	}
}

// tell reports the failure of a rendering once, however often it occurs, and its end.
func (w *renderWatch) tell(err error) {
	if err == nil {
		if w.problem != "" {
			w.note("%s is current again", w.job.place())
		}
		w.problem = ""
		return
	}
	if err.Error() != w.problem {
		consequence := "it is tried again"
		if errors.Is(err, vaultfile.ErrNotFound) { // a name of --require
			consequence = "the files stay as they are for now"
		}
		w.warnOf(err, consequence)
	}
	w.problem = err.Error()
}

// warnOf tells an error that does not end the command.
func (w *renderWatch) warnOf(err error, consequence string) {
	o := describe(err)
	w.warn("%s; %s", o.message, consequence)
	if o.hint != "" {
		fmt.Fprintf(w.stderr, "vault-tool: hint: %s\n", printable(o.hint))
	}
}
