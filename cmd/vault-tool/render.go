package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mazevault/vault-tool/internal/render"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/vaultfile"
)

type renderOptions struct {
	selection.Selection
	dir             string
	require         []string
	template        string
	output          string
	mode            string
	owner           string
	allowDisk       bool
	watch           bool
	onChange        string
	onChangeTimeout time.Duration
	signal          string
	pidFile         string
}

const renderLong = `Write secrets as files for programs that read files: one file a secret with
--dir, or a template filled with them with --template. Every file is replaced
as a whole, one that need not change is not touched, and a file in --dir goes
when its secret leaves the vault or is no longer selected.

The files go to a memory file system only (tmpfs, ramfs), unless --allow-disk
is given. What is on a tmpfs can still reach the swap space, if the host has
one that is not encrypted.

A missing --dir is made; what is made belongs to --owner and has mode 0700, or
0750 where --mode lets the group read. A '/' in a name is a subdirectory.
Nothing in --dir is replaced or removed but what this command has written,
whose names ` + render.ManifestName + ` there has: another file in the way is a
conflict (6), unless it is just as the secret's would be. So is an --output
that this command has not written. No symbolic link there is followed, and on
the way to it none but root's and yours. A directory in which every user may
exchange files (0777 without the sticky bit) is refused.

The template is one of Go's text/template, with these functions:
  {{ secret "NAME" }}            the value; it is an error (3) if there is none
  {{ if has "NAME" }}…{{ end }}  whether there is one
  {{ range names }}…{{ end }}    all names
  {{ secret "NAME" | json }}     as JSON, with its quotes
  {{ secret "NAME" | base64 }}   in Base64
It is read once, at the start. Values are in ordinary memory for as long as it
is being filled; --dir writes from locked memory. The lock for --output,
FILE.lock beside it, stays.

With --watch the command goes on, and keeps the files current as the vault
changes. While the vault does not open, or lacks a name of --require, the last
files stay. It tells systemd when it is ready (Type=notify). SIGTERM is a
normal end (0), SIGHUP means to look now. --key-cache is of no use with --watch
and is not looked at: the derived key stays in the process's own locked memory,
until the vault's key changes.

When files have changed, --on-change is run and --signal sent, though not for
the first files in a new place. A command gets --on-change-timeout. The process
of --pid-file is not signalled if it began after the file was written, for then
it is another one. What fails is reported and tried again, after 1 s at first
and up to 30 s later, until it succeeds or the next change takes its place. A
change is not lost: if the command ends before they have succeeded, or another
render made the change, the watcher makes up for it, the next one right at its
start. So they may come once too often, never too seldom.
` + render.ManifestName + ` keeps the account, for --output
.FILE` + render.ManifestName + ` beside FILE.`

// defaultHookTimeout is how long a command of --on-change may take: far longer than to reload a service.
const defaultHookTimeout = time.Minute

func newRenderCommand(a *app) *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:   "render {--dir DIR | --template FILE --output FILE} [--watch]",
		Short: "Write secrets as files in memory, and keep them current",
		Long:  renderLong,
		Example: `  vault-tool render --dir /run/app-secrets --owner app:app
  vault-tool render --dir /run/app-secrets --watch \
      --only 'TLS_*' --on-change 'systemctl reload app'
  vault-tool render --template app.conf.tmpl --output /run/app.conf \
      --mode 0440 --owner root:app`,
		Args: noArgumentsBut("the directory is given with --dir"),
	}
	flags := cmd.Flags()
	cmd.RunE = a.flushedAction(func(ctx context.Context, _ []string) error {
		if err := refuseEmptyFlags(flags); err != nil {
			return err
		}
		return a.runRender(ctx, o)
	})
	flags.StringVar(&o.dir, "dir", "", "write one file a secret into `DIR`")
	flags.StringArrayVar(&o.Only, "only", nil, "only the secrets that match `GLOB` (repeatable)")
	flags.StringArrayVar(&o.Except, "except", nil, "not the secrets that match `GLOB` (repeatable)")
	flags.StringArrayVar(&o.require, "require", nil, "fail unless `NAME` is rendered and not empty (repeatable)")
	flags.StringVar(&o.template, "template", "", "fill the template in `FILE`")
	flags.StringVar(&o.output, "output", "", "the `FILE` to write the filled template to")
	flags.StringVar(&o.mode, "mode", "0400", "the `PERMISSIONS` of the files, in octal; never any for others")
	flags.StringVar(&o.owner, "owner", "", "`USER:GROUP` of the files, names or numbers (as root)")
	flags.BoolVar(&o.allowDisk, "allow-disk", false, "write to any file system")
	flags.BoolVar(&o.watch, "watch", false, "go on, and keep the files current")
	flags.StringVar(&o.onChange, "on-change", "", "with --watch: the shell `COMMAND` to run after the files changed")
	flags.DurationVar(&o.onChangeTimeout, "on-change-timeout", defaultHookTimeout, "how long the command of --on-change may take")
	flags.StringVar(&o.signal, "signal", "", "with --watch: the `SIGNAL` to send after the files changed, such as HUP")
	flags.StringVar(&o.pidFile, "pid-file", "", "the `FILE` with the number of the process that gets --signal")
	cmd.MarkFlagsOneRequired("dir", "template")
	cmd.MarkFlagsMutuallyExclusive("dir", "template")
	cmd.MarkFlagsMutuallyExclusive("template", "only")
	cmd.MarkFlagsMutuallyExclusive("template", "except")
	cmd.MarkFlagsRequiredTogether("template", "output")
	cmd.MarkFlagsRequiredTogether("signal", "pid-file")
	a.addReadScope(cmd)
	completeFiles(cmd, "dir", "template", "output", "pid-file")
	_ = cmd.RegisterFlagCompletionFunc("require", a.completeNames) // fails for an unknown flag only
	return cmd
}

// renderJob is what the options come to.
type renderJob struct {
	renderOptions
	options  render.Options
	signo    syscall.Signal   // 0: none
	prepared *render.Template // read once: it may be a pipe
}

// refuseEmptyFlags finds the variable that is not set. An --only of it would select no secret, and so remove every file; an
// --owner would be root.
func refuseEmptyFlags(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(flag *pflag.Flag) {
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if slices.Contains(values, "") {
			err = badInput("", "--%s is empty; is a variable not set?", flag.Name)
		}
	})
	return err
}

func (a *app) renderJob(o renderOptions) (*renderJob, error) {
	if o.onChangeTimeout <= 0 {
		return nil, badInput("give a duration, such as 30s", "--on-change-timeout has to be more than nothing")
	}
	if !o.watch && (o.onChange != "" || o.signal != "") {
		return nil, badInput("add --watch", "--on-change and --signal are of use with --watch only")
	}
	if err := globError(o.Validate()); err != nil {
		return nil, err
	}
	job := &renderJob{renderOptions: o, options: render.Options{AllowDisk: o.allowDisk, LockTimeout: a.lockTimeout}}
	job.options.KeepChanges = len(job.hooks()) > 0
	var err error
	if job.options.Mode, err = render.ParseMode(o.mode); err != nil {
		return nil, err
	}
	if o.owner != "" {
		if job.options.Owner, err = render.ParseOwner(o.owner); err != nil {
			return nil, err
		}
	}
	if o.signal != "" {
		if job.signo, err = parseSignal(o.signal); err != nil {
			return nil, err
		}
	}
	if o.template != "" {
		if err := a.checkOutput(o); err != nil {
			return nil, err
		}
		job.prepared, err = render.ReadTemplate(o.template)
	}
	return job, err
}

// checkOutput keeps a slip from replacing what the command reads by what it writes: nobody wants that, and a vault or a key
// would be lost.
func (a *app) checkOutput(o renderOptions) error {
	output, err := os.Stat(o.output)
	if err != nil {
		return nil // no file, or one that the writing will complain of
	}
	for _, input := range []struct{ path, what string }{{o.template, "template"}, {a.vaultPath(), "vault"}, {a.keyPath(), "key file"}} {
		if info, err := os.Stat(input.path); err == nil && os.SameFile(output, info) {
			return badInput("write to another file", "--output is the %s: %s", input.what, o.output)
		}
	}
	return nil
}

// place is where the job writes to.
func (job *renderJob) place() string {
	if job.dir != "" {
		return filepath.Clean(job.dir)
	}
	return filepath.Clean(job.output)
}

func (a *app) runRender(ctx context.Context, o renderOptions) error {
	job, err := a.renderJob(o)
	if err == nil {
		if o.watch {
			a.interrupts.spare(hangUp) // which means: look now
		}
		a.interrupts.catch() // what is due to be written is, and a watcher has an end of its own
		if o.watch {
			err = a.watchRender(ctx, job)
		} else {
			err = a.renderOnce(ctx, job)
		}
	}
	return renderFailure(err)
}

// renderOnce opens the vault before anything is made, and again under the lock: another process may have rendered a newer
// vault meanwhile. The second time costs no key derivation.
func (a *app) renderOnce(ctx context.Context, job *renderJob) error {
	return a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		open := func(use func(render.Secrets) error) error {
			v, err := vaultfile.Open(ctx, a.vaultPath(), u)
			if err != nil {
				return err
			}
			defer v.Close()
			return a.tellReference(use(a.scope.Of(deliver(v))))
		}
		err := open(func(s render.Secrets) error { return a.checkRender(job, s) })
		if err != nil {
			return err
		}
		report, err := job.render(ctx, open)
		if job.prepared != nil {
			giveBackMemory()
		}
		if err != nil && !report.Changed() {
			return err
		}
		return errors.Join(err, a.reportRender(job, report))
	})
}

// openSecrets calls use with the secrets.
type openSecrets func(use func(render.Secrets) error) error

// render writes the files with the secrets that open gives, unless one that is required is missing.
func (job *renderJob) render(ctx context.Context, open openSecrets) (render.Report, error) {
	checked := func(use func(render.Secrets) error) error {
		return open(func(s render.Secrets) error {
			if err := requireSelected(job.Selection, job.require, s.Names(), s.Use); err != nil {
				return err
			}
			return use(s)
		})
	}
	if job.dir != "" {
		return job.renderDirectory(ctx, checked)
	}
	return job.renderTemplate(ctx, checked)
}

func (job *renderJob) renderDirectory(ctx context.Context, open openSecrets) (report render.Report, err error) {
	d, err := render.OpenDirectory(ctx, job.dir, job.options)
	if err != nil {
		return report, job.withMissingParent(err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	err = open(func(s render.Secrets) (err error) {
		report, err = d.Render(ctx, job.Names(s.Names()), s)
		return err
	})
	return report, err
}

func (job *renderJob) renderTemplate(ctx context.Context, open openSecrets) (report render.Report, err error) {
	f, err := render.OpenFile(ctx, job.output, job.options)
	if err != nil {
		return report, job.withMissingParent(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	err = open(func(s render.Secrets) error {
		filled, err := job.prepared.Execute(s)
		if err != nil {
			return err
		}
		defer clear(filled)
		report, err = f.Write(filled)
		return err
	})
	return report, err
}

// withMissingParent says what to do where a directory is missing that is not made.
func (job *renderJob) withMissingParent(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &failure{code: exitFailed, err: err, hint: "make it first: mkdir -p " + shellWord(filepath.Dir(job.place()))}
}

// recordTold makes the place say that --on-change and --signal have succeeded for a change.
func (job *renderJob) recordTold(ctx context.Context, change string) (err error) {
	var place interface {
		Told(change string) error
		Close() error
	}
	if job.dir != "" {
		place, err = render.OpenDirectory(ctx, job.dir, job.options)
	} else {
		place, err = render.OpenFile(ctx, job.output, job.options)
	}
	if err != nil {
		return err
	}
	return errors.Join(place.Told(change), place.Close())
}

// renderFailures maps the errors of package render to exit code and hint, as outcomes does for the others.
var renderFailures = []struct {
	target error
	code   int
	hint   string
}{
	{render.ErrDisk, exitInsecure, "use a directory on a tmpfs, such as one below /run or /dev/shm; --allow-disk leaves the secrets on the disk in the clear"},
	{render.ErrOpenToAll, exitInsecure, "use a directory below it, which is made, or take the right to write from others: chmod o-w"},
	{render.ErrForeignOwner, exitInsecure, "use a directory of root or of the user of the files (--owner); after a change of --owner remove the old files first"},
	{render.ErrConflict, exitConflict, "move it away, or leave the secret out with --except; a file that an earlier version rendered to --output is to be removed once"},
	{render.ErrManifest, exitConflict, "remove it together with the files that were rendered"},
	{render.ErrFileName, exitUsage, "leave them out with --except or --only"},
	{render.ErrMode, exitUsage, "0400 is for the owner alone, 0440 for the group as well"},
	{render.ErrOwner, exitUsage, "give --owner as USER:GROUP"},
	{render.ErrGiveAway, exitFailed, "run the command as root, or leave --owner out"},
	{render.ErrMissing, exitNotFound, "nothing was written; vault-tool list shows the names that are there"},
	{render.ErrTemplate, exitUsage, "nothing was written; values are strings: print them, compare them, or use the functions of vault-tool render --help"},
	{render.ErrBusy, exitBusy, "another process renders to the same place; try again, or wait longer with --lock-timeout"},
	{syscall.ENOSPC, exitFailed, "make room on the file system and run the command again; it does the rest"},
}

func renderFailure(err error) error {
	var f *failure
	if err == nil || errors.As(err, &f) {
		return err
	}
	for _, o := range renderFailures {
		if errors.Is(err, o.target) {
			return &failure{code: o.code, err: err, hint: o.hint}
		}
	}
	return err
}
