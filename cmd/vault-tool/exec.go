package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/envname"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/internal/steering"
)

type execOptions struct {
	selection.Selection
	prefix   string
	require  []string
	pristine bool
	redact   bool
}

// Exit codes of a shell for a command that cannot be started (POSIX, Shell Command Language 2.8.2).
const (
	exitNotExecutable   = 126
	exitCommandNotFound = 127
)

func newExecCommand(a *app) *cobra.Command {
	var o execOptions
	cmd := &cobra.Command{
		Use:   "exec [flags] -- COMMAND [ARGUMENT]…",
		Short: "Run a command with the secrets in its environment",
		Long: `Run a command with the vault's secrets as environment variables, before those it inherits.

The command takes the place of vault-tool: process number, signals, terminal and exit code are its own,
and no shell comes between. It ends with 127 if the command is not found, with 126 if it cannot be run.

Secrets of a scope (with a '/' in the name) are left out. Any other name that is no name of an
environment variable is an error, unless --only or --except leaves it out. So is one that makes common
programs run other code than they were to, LD_PRELOAD and PATH among them, unless an --only names it
literally: whoever may write the vault could run code as whoever uses exec.

Core dumps are off for the command, as they are for vault-tool. Of the signals that vault-tool was
started to ignore the command ignores HUP and INT (nohup works); for another give it through env:
vault-tool exec -- env --ignore-signal=PIPE COMMAND

With --redact the command runs as a child, and every value of the vault (of the scope, whatever is
selected) that it writes becomes [NAME], in any of the forms that redact knows. Where its output goes to
a terminal, it has a pseudo-terminal of its own. Signals, job control and the end are as without; a
program that it leaves behind on a pipe is waited for until it closes the pipe.`,
		Example: `  vault-tool exec -- ./server --port 8080
  vault-tool exec --only 'SMTP_*' --require SMTP_PASSWORD -- ./mailer
  vault-tool exec --pristine --prefix APP_ -- env
  vault-tool exec --redact -- ./deploy.sh`,
		Args: someCommand,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.redact {
			return a.runRedacted(cmd, o, args)
		}
		return a.flushedAction(func(ctx context.Context, args []string) error { return a.runExec(ctx, o, args) })(cmd, args)
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false) // what follows the command is the command's, with or without "--"
	flags.StringArrayVar(&o.Only, "only", nil, "only the secrets that match `GLOB` (repeatable)")
	flags.StringArrayVar(&o.Except, "except", nil, "not the secrets that match `GLOB` (repeatable)")
	flags.StringVar(&o.prefix, "prefix", "", "put `P` before every name")
	flags.StringArrayVar(&o.require, "require", nil, "fail unless `NAME` is handed over and not empty (repeatable)")
	flags.BoolVar(&o.pristine, "pristine", false, "the secrets alone: inherit no variable")
	flags.BoolVar(&o.redact, "redact", false, "put [NAME] in the place of every value that the command writes")
	a.addReadScope(cmd)
	_ = cmd.RegisterFlagCompletionFunc("require", a.completeNames) // fails for an unknown flag only
	return cmd
}

// someCommand wants a command to run.
func someCommand(_ *cobra.Command, args []string) error {
	if len(args) == 0 || args[0] == "" {
		return errors.New("give the command to run: vault-tool exec -- COMMAND")
	}
	return nil
}

func (a *app) runExec(ctx context.Context, o execOptions, args []string) error {
	return a.withEnvironment(ctx, o, args[0], func(e execution) error {
		a.interrupts.release() // no signal may be on its way when the command starts
		return execute(ctx, e.path, args, e.environment)
	})
}

// execution is what a command is run with.
type execution struct {
	path        string
	environment []string // in locked memory, for as long as withEnvironment runs
	values      *values  // with --redact: to be destroyed
}

// withEnvironment calls use with what the command is to be run with.
func (a *app) withEnvironment(ctx context.Context, o execOptions, command string, use func(execution) error) error {
	if err := errors.Join(globError(o.Validate()), validatePrefix(o.prefix)); err != nil {
		return err
	}
	path, err := lookPath(command)
	if err != nil {
		return err // before the secrets are anywhere
	}
	var memory lockedmem.Arena
	defer memory.Destroy()
	e := execution{path: path}
	err = a.withDelivered(ctx, func(v scope.Secrets) (err error) {
		e.environment, err = a.execEnvironment(o, v, os.Environ(), &memory)
		if err == nil && o.redact {
			e.values, err = a.learnValues(v, v.Names())
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := a.withholdKey(); err != nil {
		return err
	}
	a.finish()
	return use(e)
}

// withholdKey keeps the key from the program that this process becomes.
func (a *app) withholdKey() error {
	if a.azureURL() != "" {
		return nil
	}
	if err := descriptor.Withhold(a.keyPath()); err != nil {
		return fmt.Errorf("keep the key from the command: %w", err)
	}
	return nil
}

// hideKey keeps the key from programs that this process starts.
func (a *app) hideKey() {
	if a.azureURL() == "" {
		descriptor.Hide(a.keyPath())
	}
}

// childExit ends the process as the command ended that ran as its child.
type childExit struct{ code int }

func (c *childExit) Error() string { return fmt.Sprintf("the command ended with %d", c.code) }

// lookPath finds the command as a shell does.
func lookPath(command string) (string, error) {
	path, err := exec.LookPath(command)
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, exec.ErrDot) && runtime.GOOS != "windows": // a relative entry of PATH, which is asked for there
		return path, nil
	case errors.Is(err, exec.ErrDot):
		return "", &failure{code: exitCommandNotFound, err: fmt.Errorf("%s: found only through an entry of PATH that is the working directory", command), hint: "name it with its path: ./" + command}
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return "", &failure{code: exitCommandNotFound, err: fmt.Errorf("%s: command not found", command)}
	}
	return "", notExecutable(command, err)
}

func notExecutable(command string, err error) *failure {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	var lookErr *exec.Error
	if errors.As(err, &lookErr) {
		err = lookErr.Err
	}
	return &failure{code: exitNotExecutable, err: fmt.Errorf("%s: cannot be run: %w", command, err)}
}

// notStarted is notExecutable for a command that was found and given to the system.
func notStarted(command string, err error, environment []string) *failure {
	f := notExecutable(command, err)
	switch {
	case errors.Is(err, syscall.E2BIG):
		f.hint = "the system limits a variable (Linux: to 128 KiB) and all of them together" + largestOf(environment) +
			"; leave secrets out with --except, or deliver them as files: vault-tool render"
	case errors.Is(err, syscall.ENOEXEC):
		f.hint = "a script needs a first line such as #!/bin/sh; or name its shell: vault-tool exec -- sh " + shellWord(command)
	case errors.Is(err, fs.ErrNotExist):
		f.hint = "the file is there, but not the interpreter that its first line names, or the program's loader"
	}
	return f
}

// largestOf names the largest variable.
func largestOf(environment []string) string {
	if len(environment) == 0 {
		return ""
	}
	largest := slices.MaxFunc(environment, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	name, value, _ := strings.Cut(largest, "=")
	return fmt.Sprintf("; the largest is %s with %d bytes", name, len(value))
}

// execEnvironment returns the inherited variables that no secret overrides, and after them the secrets: where
// the names of variables have no case (Windows), the last one counts.
func (a *app) execEnvironment(o execOptions, v scope.Secrets, inherited []string, memory *lockedmem.Arena) ([]string, error) {
	names := v.Names()
	if err := a.checkDelivered(o.Selection, names); err != nil {
		return nil, err
	}
	if err := requireSelected(o.Selection, o.require, names, v.Use); err != nil {
		return nil, err
	}
	selected := a.withoutScoped(o.Selection, o.Names(names))
	if err := refuseReferences(v, selected); err != nil {
		return nil, err
	}
	secrets, err := o.variables(v, selected, memory)
	if err != nil || o.pristine {
		return secrets, err
	}
	set := make(map[string]bool)
	for _, variable := range secrets {
		name, _, _ := strings.Cut(variable, "=")
		set[name] = true
	}
	var environment []string
	for _, variable := range inherited {
		name, _, _ := strings.Cut(variable, "=")
		if !set[name] {
			environment = append(environment, variable)
		}
	}
	return append(environment, secrets...), nil
}

// variables returns the secrets as variables, which stand in the given memory.
func (o execOptions) variables(v scope.Secrets, names []string, memory *lockedmem.Arena) ([]string, error) {
	var variables, badNames, badValues, steered []string
	for _, name := range names {
		variable := o.prefix + name
		switch {
		case !envname.Valid(variable):
			badNames = append(badNames, name)
			continue
		case steers(variable) && !o.Named(name):
			steered = append(steered, variable)
			continue
		}
		err := v.Use(name, func(value []byte) error {
			if bytes.IndexByte(value, 0) >= 0 {
				badValues = append(badValues, name)
				return nil
			}
			place, err := memory.Take(len(variable) + 1 + len(value))
			if err != nil {
				return err
			}
			copy(place[copy(place, variable+"="):], value)
			variables = append(variables, lockedmem.View(place))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(badNames) > 0 {
		return nil, badInput("leave them out with --except or --only, or deliver them as files: vault-tool render",
			"not names of environment variables: %s", join(badNames))
	}
	if len(steered) > 0 {
		return nil, badInput("leave them out with --except, or name each with --only if the command needs it from the vault",
			"these variables can make a program run other code: %s", join(steered))
	}
	if len(badValues) > 0 {
		return nil, badInput("leave them out with --except or --only, or deliver them as files: vault-tool render",
			"the values of these have a NUL, which no environment variable can hold: %s", join(badValues))
	}
	return variables, nil
}

// steers tells whether a variable of that name takes over programs, or vault-tool itself.
func steers(variable string) bool { return steering.Code(variable) || steering.Tool(variable) }

// withoutScoped leaves out the secrets of scopes, which are not meant for one environment, unless an --only names
// them: then that they are no variables is told as an error.
func (a *app) withoutScoped(s selection.Selection, names []string) []string {
	var scoped []string
	names = slices.DeleteFunc(names, func(name string) bool {
		if !strings.Contains(name, "/") || s.Named(name) {
			return false
		}
		scoped = append(scoped, name)
		return true
	})
	if len(scoped) > 0 {
		a.note("%s of a scope left out: names with a '/' cannot be variables", count(len(scoped), "secret"))
	}
	return names
}

func validatePrefix(prefix string) error {
	if prefix != "" && !envname.Valid(prefix) {
		return badInput("letters, digits and '_', no digit first", "--prefix is not the beginning of a variable's name")
	}
	return nil
}
