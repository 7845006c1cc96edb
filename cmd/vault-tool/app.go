package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/keycache"
	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/kdf"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// app is what commands share: streams, environment and the options that all of them have.
type app struct {
	stdin  *os.File
	stdout *os.File
	stderr *os.File
	getenv func(string) string
	clock  func() time.Time

	interrupts *interrupts

	vaultFlag   string
	keyFlag     string
	moreKeys    []string // further key files, for commands that take several
	azure       azureOptions
	json        bool
	quiet       bool
	verbose     bool
	lockTimeout time.Duration
	scope       scope.Scope
	ifMatch     string        // the ETag that the vault must have, "" if any will do
	keyCacheTTL time.Duration // 0: the environment's, or none
	keyCache    *keycache.Cache

	deriver       *kdf.Deriver // nil: the fastest
	derives       bool
	parsed        bool // the command line was understood; errors before that are of usage
	warnedShort   bool
	toldSuccessor bool
	successor     vaultfile.SuccessorReport // what there was to tell
	finished      bool
	completing    bool // a line that is being edited is no place for warnings
}

func newApp(cancel context.CancelCauseFunc, exit func(code int)) *app {
	return &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, clock: time.Now, interrupts: &interrupts{cancel: cancel, exit: exit}}
}

// Names of the environment variables and the defaults of design section "command line".
const (
	vaultFileEnv     = "MAZEVAULT_VAULT_FILE"
	keyFileEnv       = "MAZEVAULT_VAULT_KEY_FILE"
	defaultVaultFile = "secrets.vault"
	defaultKeyFile   = "vault.key"
)

// main runs the command line and returns the exit code.
func (a *app) main(ctx context.Context, args []string) int {
	if err := checkOpenFiles(); err != nil {
		a.json = asksForJSON(args)
		return a.report(&failure{code: exitFailed, err: err, hint: "raise the limit: ulimit -n 1024"})
	}
	root := newRootCommand(a, args)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !a.parsed {
		a.json = a.json || asksForJSON(args)
		err = usageFailure(cmd, err)
	}
	pause("done")
	a.finish()
	return a.report(err)
}

// finish says once what is to be said about the run as a whole. A command that is replaced, or lasts, calls
// it before.
func (a *app) finish() {
	if a.finished {
		return
	}
	a.finished = true
	if lockErr := vaultfile.MemoryLocked(); lockErr != nil {
		a.warn("memory could not be locked, so secrets may have reached swap space; raise the limit (ulimit -l, LimitMEMLOCK=)")
	}
	a.noteKeyCache()
	a.warnOfDeriver()
}

// report prints an error with its hint and returns the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return exitOK
	}
	var child *childExit
	if errors.As(err, &child) {
		return child.code // it has said itself what was to be said
	}
	var told answer
	if errors.As(err, &told) {
		return told.code
	}
	o := describe(err)
	if a.json {
		_ = printJSONTo(a.stderr, o.asJSON()) // there is nowhere to tell that it cannot be told
		return o.code
	}
	fmt.Fprintf(a.stderr, "vault-tool: %s %s\n", a.label("error:", ansiRed), printable(o.message))
	if o.hint != "" {
		fmt.Fprintf(a.stderr, "vault-tool: hint: %s\n", printable(o.hint))
	}
	return o.code
}

// vaultPath is --vault-file, the environment's, or the default.
func (a *app) vaultPath() string {
	return firstSet(a.vaultFlag, a.getenv(vaultFileEnv), defaultVaultFile)
}

// keyPath is --key-file, the environment's, or the default.
func (a *app) keyPath() string {
	return orStdin(firstSet(a.keyFlag, a.getenv(keyFileEnv), defaultKeyFile))
}

// orStdin is the path of standard input for "-", as everywhere where a file is read.
func orStdin(path string) string {
	if path == stdinName {
		return "/dev/stdin"
	}
	return path
}

func firstSet(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// keyFile is a key file that warns once when its passphrase is short.
type keyFile struct {
	*keysource.File
	a *app
}

func (a *app) keyFile(path string) keyFile { return keyFile{keysource.NewFile(path), a} }

func (k keyFile) Passphrase(ctx context.Context, use func([]byte) error) error {
	return k.File.Passphrase(ctx, func(passphrase []byte) error {
		k.a.warnIfShort(k.String(), passphrase)
		return use(passphrase)
	})
}

func (a *app) warnIfShort(source string, passphrase []byte) {
	if len(passphrase) < keysource.ShortBytes && !a.warnedShort {
		a.warnedShort = true
		a.warn("the key in %s has only %d bytes; `vault-tool init` makes a strong one", source, len(passphrase))
	}
}

// withUnlocker calls f with an unlocker for the key of the command line, and wipes what it holds.
func (a *app) withUnlocker(ctx context.Context, f func(*vaultfile.Unlocker) error) error {
	return a.withKey(ctx, func(_ vaultKey, u *vaultfile.Unlocker) error { return f(u) })
}

// withKey is withUnlocker that also hands over the source of the key.
func (a *app) withKey(ctx context.Context, f func(vaultKey, *vaultfile.Unlocker) error) error {
	source, err := a.vaultKey()
	if err != nil {
		return err
	}
	defer source.Close()
	u := a.newUnlocker(source)
	defer u.Close()
	return a.nameKey(ctx, source, f(source, u))
}

// nameKey says in the hint of an error about a key that does not fit which one that was, and what is odd about
// it.
func (a *app) nameKey(ctx context.Context, source vaultfile.PassphraseSource, err error) error {
	if !errors.Is(err, vaultfile.ErrDecryption) {
		return a.nameDefaults(err)
	}
	key := "the key in " + a.keyName()
	_ = source.Passphrase(ctx, func(passphrase []byte) error { // where it cannot be read again, nothing is said of it
		if vaultfile.LooksLikeVault(passphrase) {
			key += " (it is a vault, and no key)"
		} else if odd := keysource.Irregularities(passphrase); len(odd) > 0 {
			key += " (it has " + strings.Join(odd, " and ") + ", which counts as a part of it)"
		}
		return nil
	})
	return &failure{code: exitCannotOpen, err: err, hint: decryptionHint(key)}
}

// nameDefaults says in the hint of an error about a missing vault or key that nobody had named it, and where it was
// looked for.
func (a *app) nameDefaults(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	missing, flag, env := "", "", ""
	switch {
	case errors.Is(err, vaultfile.ErrNotExist) && a.vaultFlag == "" && a.getenv(vaultFileEnv) == "":
		missing, flag, env = defaultVaultFile, "--vault-file", vaultFileEnv
	case errors.Is(err, keysource.ErrStat) && errors.Is(err, fs.ErrNotExist) && a.keyFlag == "" && a.getenv(keyFileEnv) == "" && absent(defaultKeyFile):
		missing, flag, env = defaultKeyFile, "--key-file", keyFileEnv
	default:
		return err
	}
	o := describe(err)
	dir, dirErr := os.Getwd()
	if dirErr != nil {
		dir = "the working directory"
	}
	return &failure{code: o.code, kind: o.kind, err: err,
		hint: fmt.Sprintf("%s; it was looked for in %s, as neither %s nor %s is given", o.hint, filepath.Join(dir, missing), flag, env)}
}

// absent tells that nothing is at a path, so that an error about a missing file can be about it and not about another one.
func absent(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// tellSuccessor says that KEY.new opened the vault, or why it was not used. A command that opens the vault
// twice says it once.
func (a *app) tellSuccessor(r vaultfile.SuccessorReport) {
	a.successor = r
	if a.toldSuccessor || a.completing {
		return
	}
	a.toldSuccessor = true
	if r.Err != nil {
		a.warn("a key for a rotation is not used: %v", r.Err)
		return
	}
	say := a.note
	if a.azureURL() != "" {
		say = a.warn // the vault is under a key that has been replaced, and will not open when that is disabled
	}
	say("%s does not open %s; %s does: the key is being changed. Where no rotation is under way, find out who put it there.", a.keyName(), r.Vault, r.Opened)
}

// withVault calls f with the vault of the command line, opened, and closes it.
func (a *app) withVault(ctx context.Context, f func(*vaultfile.Vault) error) error {
	return a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		v, err := vaultfile.Open(ctx, a.vaultPath(), u)
		if err != nil {
			return err
		}
		defer v.Close()
		pause("open")
		return f(v)
	})
}

// note tells the user something that --quiet silences.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.stderr, printable(fmt.Sprintf(format, args...)))
	}
}

// ask tells somebody at a terminal what the command waits for. --quiet does not silence it, or the command would
// seem to hang.
func (a *app) ask(text string) { fmt.Fprintln(a.stderr, text) }

// verboseNote tells the user something that only --verbose shows.
func (a *app) verboseNote(format string, args ...any) {
	if a.verbose {
		fmt.Fprintln(a.stderr, printable(fmt.Sprintf(format, args...)))
	}
}

// warn tells the user something that --quiet does not silence.
func (a *app) warn(format string, args ...any) {
	if a.completing {
		return
	}
	fmt.Fprintf(a.stderr, "vault-tool: %s %s\n", a.label("warning:", ansiYellow), printable(fmt.Sprintf(format, args...)))
}

// The colours of labels (ECMA-48, select graphic rendition).
const (
	ansiRed    = "\x1b[1;31m"
	ansiYellow = "\x1b[1;33m"
	ansiReset  = "\x1b[0m"
)

// label colours a label on a terminal, unless NO_COLOR or a dumb terminal forbid it.
func (a *app) label(text, colour string) string {
	if a.getenv("NO_COLOR") != "" || a.getenv("TERM") == "dumb" || !terminal.Is(a.stderr) {
		return text
	}
	return colour + text + ansiReset
}

// printJSON writes a summary without values to standard output.
func (a *app) printJSON(summary any) error {
	return outputError(printJSONTo(a.stdout, summary))
}

// printJSONTo writes value as one line.
func printJSONTo(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// print writes to standard output. Values go through here from locked memory: nothing buffers them.
func (a *app) print(data []byte) error {
	_, err := a.stdout.Write(data)
	return outputError(err)
}

// outputError is a failure of its own, because its cause, a full disk say, is not the vault's.
func outputError(err error) error {
	if err != nil {
		return &failure{code: exitFailed, err: fmt.Errorf("write the output: %w", err), hint: "the output is incomplete; a change to the vault, if one was asked for, has been made"}
	}
	return nil
}

// action returns what cobra runs for a command that handles secrets and leaves none on the heap.
func (a *app) action(run func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.openKeyCache(cmd.Flags()); err != nil {
			return err
		}
		if err := a.chooseDeriver(); err != nil {
			return err
		}
		return a.plainAction(func(ctx context.Context, args []string) error {
			return guarded(func() error { return run(ctx, args) })
		})(cmd, args)
	}
}

// flushedAction is action for a command that makes strings of secrets, or uses a library that does.
func (a *app) flushedAction(run func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	action := a.action(run)
	return func(cmd *cobra.Command, args []string) error {
		defer erase.Flush()
		return action(cmd, args)
	}
}

// guarded calls f and erases what it leaves on the stack and in saved registers. With runtime/secret that is
// all: a collection at the end of every command would take longer than most of them, so what f leaves on the
// heap is for f to overwrite, or for flushedAction.
func guarded(f func() error) (err error) {
	erase.Do(func() { err = f() })
	if erase.Complete {
		erase.Registers()
	} else {
		erase.Flush()
	}
	return err
}

// plainAction returns what cobra runs for a command without secrets: it notes that the command line
// was understood.
func (a *app) plainAction(run func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := cmp.Or(refuseEmptyPaths(cmd), checkIfMatch(cmd), checkScope(cmd)); err != nil {
			return err
		}
		a.parsed = true
		return run(cmd.Context(), args)
	}
}
