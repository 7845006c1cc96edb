package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/mounts"
	"github.com/mazevault/vault-tool/internal/owner"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/kdf"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// Exit codes. They are part of the interface and never renumbered.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitCannotOpen  = 4
	exitInsecure    = 5
	exitConflict    = 6
	exitBusy        = 7
	exitInterrupted = 130
)

// exitCodesHelp is the help text's and the README's table.
const exitCodesHelp = `Exit codes:
  0    done
  1    failed (I/O and the unexpected)
  2    bad usage or bad input (with a traceback: vault-tool itself has crashed)
  3    not found (vault, key file, secret)
  4    cannot be opened (wrong key, damaged, not a vault)
  5    refused as insecure (permissions)
  6    conflict (exists already, changed meanwhile, differs)
  7    busy (lock not obtained in time)
  130  interrupted`

// failure is an error for which a command itself knows the exit code and the hint.
type failure struct {
	code int
	err  error
	hint string
	kind string // "": that of err, or of the code
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// badInput is a failure of usage or input.
func badInput(hint, format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// conflict is a failure for which the world is not as the command needs it.
func conflict(hint, format string, args ...any) error {
	return &failure{code: exitConflict, err: fmt.Errorf(format, args...), hint: hint}
}

// existsAlready is a conflict with a file that is there.
func existsAlready(hint, format string, args ...any) error {
	return &failure{code: exitConflict, kind: kindExists, err: fmt.Errorf(format, args...), hint: hint}
}

// answer ends the process with an exit code that is the answer to what was asked. It is no error, and there is nothing more to say.
type answer struct{ code int }

func (a answer) Error() string { return fmt.Sprintf("the answer is exit code %d", a.code) }

// unchangedError marks an error of a command that knows that it has changed nothing: the hint says so.
type unchangedError struct{ error }

func (e unchangedError) Unwrap() error { return e.error }

// leftUnchanged marks an error of vaultfile.Update or Create, or of the making of a single file: the old file stands,
// unless the disk did not confirm which one does.
func leftUnchanged(err error) error {
	if err == nil || errors.Is(err, vaultfile.ErrUnconfirmed) {
		return err
	}
	return unchangedError{err}
}

// nothingChanged is what hints say of the state, where it is known.
const nothingChanged = "nothing was changed"

// outcome is how an error is told.
type outcome struct {
	code    int
	kind    string
	message string
	hint    string
}

// errorJSON is an error as --json tells it; docs/json.md describes it.
type errorJSON struct {
	Kind     string `json:"kind"`
	Message  string `json:"message"`
	Hint     string `json:"hint"` // "" where there is no next step
	ExitCode int    `json:"exit_code"`
}

func (o outcome) asJSON() any {
	return struct {
		Error errorJSON `json:"error"`
	}{errorJSON{o.kind, printable(o.message), printable(o.hint), o.code}}
}

// outcomeOf is the exit code, the kind and the hint of an error. Kinds are told with --json and never renamed;
// docs/json.md lists them.
type outcomeOf struct {
	target error
	code   int
	kind   string
	hint   string
}

// kindsOfCodes are the kinds of errors that no table names.
var kindsOfCodes = map[int]string{
	exitFailed:          "failed",
	exitUsage:           "usage",
	exitNotFound:        "not_found",
	exitCannotOpen:      "cannot_open",
	exitInsecure:        "insecure",
	exitConflict:        "conflict",
	exitBusy:            "busy",
	exitNotExecutable:   "command_not_executable",
	exitCommandNotFound: "command_not_found",
	exitInterrupted:     "interrupted",
}

// Kinds that are no matter of one library error.
const (
	kindKeyPermissions = "key_permissions"
	kindKeyNotFound    = "key_not_found"
	kindForeignKey     = "foreign_key"
	kindExists         = "exists"
	kindFindings       = "findings" // an examination found something
	kindValueFound     = "value_found"
	kindUnfinished     = "unfinished" // a part was done and stands; the command, run again, does the rest
)

// outcomes maps the errors of the libraries to exit code, kind and hint. The first match counts, so what is
// more specific stands first.
var outcomes = []outcomeOf{
	{context.Canceled, exitInterrupted, "interrupted", ""},
	{terminal.ErrInterrupted, exitInterrupted, "interrupted", ""},
	{terminal.ErrSeveralLines, exitUsage, "bad_value", "nothing was stored; pipe a value of several lines: vault-tool add --name NAME < FILE"},
	{terminal.ErrControlCharacter, exitUsage, "bad_value", "nothing was stored; type the value again without arrow or function keys, or pipe it: vault-tool add --name NAME < FILE"},

	{vaultfile.ErrDecryption, exitCannotOpen, "decryption_failed", decryptionHint("the key")},
	{keysource.ErrEmpty, exitUsage, "bad_key", "an empty key protects nothing; make one with: vault-tool init --key-file FILE"},
	{keysource.ErrTooLarge, exitUsage, "bad_key", "check that --key-file names the key and not another file"},

	{vaultfile.ErrLockTimeout, exitBusy, "busy", "another process is writing the vault; try again, or wait longer with --lock-timeout"},
	{vaultfile.ErrForeignOwner, exitInsecure, "foreign_owner", "another user may have put it there to stop or divert the command; remove it, or keep the vault in a directory of its own"},
	{vaultfile.ErrSameKey, exitUsage, "same_key", "make another key with: vault-tool init --key-file FILE"},
	{vaultfile.ErrTooSmall, exitCannotOpen, "not_a_vault", "the file is empty or was cut short; restore the vault from a backup"},
	{vaultfile.ErrNotVault, exitCannotOpen, "not_a_vault", "check that --vault-file names a vault; if it is damaged, restore it from a backup"},
	{vaultfile.ErrPayload, exitCannotOpen, "bad_content", "the key is right, but another program wrote content that is not valid; restore the vault from a backup"},
	{vaultfile.ErrVerify, exitFailed, "not_verified", "the vault was not changed; check the disk it is on"},
	{vaultfile.ErrRestored, exitFailed, "unconfirmed", "a power cut may still bring the new content; check the disk and run: sync"},
	{vaultfile.ErrUnconfirmed, exitFailed, "unconfirmed", "the new content is in place, but a power cut may undo it; check the disk and run: sync"},
	{vaultfile.ErrFileTooLarge, exitCannotOpen, "not_a_vault", "check that --vault-file names a vault, which has at most 1 GiB"},
	{vaultfile.ErrTooLarge, exitUsage, "too_large", "a value has at most 64 MiB and a vault 1 GiB"},
	{vaultfile.ErrBadName, exitUsage, "bad_name", ""},
	{vaultfile.ErrBadValue, exitUsage, "bad_value", "store binary data as text, for example through: base64 -w0"},
	{vaultfile.ErrNoHistory, exitNotFound, "no_history", "turn it on with: vault-tool history --keep 10"},
	{vaultfile.ErrNotFound, exitNotFound, "secret_not_found", "vault-tool list shows the names that are there"},
	{vaultfile.ErrExists, exitConflict, kindExists, ""},
	{vaultfile.ErrChanged, exitConflict, "changed", "it was left as the other process wrote it; look at it, and run the command again (with its new ETag, if --if-match was given)"},
	{vaultfile.ErrMountPoint, exitFailed, "cannot_replace", "a file that is itself mounted cannot be replaced: mount its directory instead"},
	{vaultfile.ErrAttributes, exitFailed, "cannot_replace", "run the command as the owner of the file"},
	{vaultfile.ErrNotRegular, exitUsage, "not_a_file", "give the path of a regular file, or move away what is in its place"},
	{vaultfile.ErrNotExist, exitNotFound, "vault_not_found", "check --vault-file and " + vaultFileEnv + "; a new vault is made by: vault-tool migrate-env, encrypt, or add --create"},

	{keysource.ErrStat, exitFailed, "key_unreadable", "check that the path is right and readable: --key-file, --new-key-file or " + keyFileEnv},
	{kdf.ErrMemory, exitFailed, "no_memory", "a key derivation needs 64 MiB: raise the limit of the process (ulimit -v) or of its control group"},
	{syscall.ENOSPC, exitFailed, "no_space", "make room on the disk and try again"},
	{syscall.EDQUOT, exitFailed, "no_space", "the disk quota is used up: make room and try again"},
	{syscall.EFBIG, exitFailed, "no_space", "a limit on the size of files is in the way (ulimit -f)"},
	{syscall.EIO, exitFailed, "disk_error", "the disk reports an error; look into the system's log before you go on"},
	{syscall.EROFS, exitFailed, "read_only", "the file system is mounted read-only"},
	{fs.ErrPermission, exitFailed, "permission_denied", "check who owns the file and its directory; a change needs write permission on the directory"},
}

func decryptionHint(key string) string {
	return "either " + key + " is not this vault's or the file is damaged, which cannot be told apart; use the right key, or restore the vault from a backup"
}

// permissiveHint says how to make a key private. Not every path is one to run chmod on: a key file on
// standard input has the terminal's name in the next command.
func permissiveHint(path string) string {
	if descriptor.Named(path) {
		return "make the file private (chmod 400), or pass the key through a pipe"
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeDevice != 0 {
		return "check that --key-file names a key"
	}
	if mounts.ReadOnly(path) {
		return "the file system is mounted read-only: mount the key with mode 0400, or pass it through a pipe: --key-file <(cat " + shellWord(path) + ")"
	}
	return "run: chmod 400 " + shellWord(path)
}

// foreignHint says what to do about a new key of another user, who may have made it, and know it. A link is changed
// itself, not what it leads to.
func foreignHint(path string) string {
	return "somebody else may have made that key, and know it; if it is yours, run: chown --no-dereference " +
		strconv.Itoa(os.Geteuid()) + " " + shellWord(path) + "; otherwise make a key of your own"
}

// describe tells an error: what to print and how to exit.
func describe(err error) outcome {
	o := outcome{code: exitFailed, message: err.Error()}
	var f *failure
	var permissive *keysource.PermissiveError
	var foreign *keysource.ForeignError
	var missing *durable.MissingDirectoryError
	switch {
	case errors.As(err, &f):
		o.code, o.kind, o.hint = f.code, f.kind, f.hint
	case errors.As(err, &permissive) && !errors.Is(err, vaultfile.ErrDecryption): // else it is about KEY.new, a help only
		o.code, o.kind, o.hint = exitInsecure, kindKeyPermissions, permissiveHint(permissive.Path)
	case errors.As(err, &foreign) && !errors.Is(err, vaultfile.ErrDecryption): // likewise
		o.code, o.kind, o.hint = exitInsecure, kindForeignKey, withState(err, foreignHint(foreign.Path))
	case errors.Is(err, keysource.ErrStat) && errors.Is(err, fs.ErrNotExist):
		o.code, o.kind = exitNotFound, kindKeyNotFound
		o.hint = "check --key-file, --new-key-file and " + keyFileEnv + "; a new key is made by: vault-tool init"
	case errors.As(err, &missing):
		o.hint = withState(err, "make the directory first: mkdir -p "+shellWord(missing.Path))
	case errors.Is(err, context.Canceled):
		o.code, o.message = exitInterrupted, "interrupted"
	default:
		row := outcomeIn(err, func(outcomeOf) bool { return true })
		if row.target != nil {
			o.code = row.code
		}
		o.hint = row.hint
		if row.target == nil || slices.Contains(strikesMidway, row.target) {
			o.hint = withState(err, row.hint)
		}
	}
	if errors.Is(err, fs.ErrPermission) && o.code == exitFailed {
		o.hint = withOwner(err, o.hint)
	}
	if o.kind == "" {
		o.kind = kindOf(err, o.code)
	}
	return o
}

// outcomeIn returns the first row of the tables that is about err and suits, or none.
func outcomeIn(err error, suits func(outcomeOf) bool) outcomeOf {
	for _, row := range slices.Concat(netOutcomes, azureOutcomes, storeOutcomes, outcomes) {
		if errors.Is(err, row.target) && suits(row) {
			return row
		}
	}
	return outcomeOf{}
}

// kindOf is the kind of an error that ends with the given exit code.
func kindOf(err error, code int) string {
	row := outcomeIn(err, func(row outcomeOf) bool { return row.code == code })
	if row.target != nil {
		return row.kind
	}
	return kindsOfCodes[code]
}

// strikesMidway are the errors that leave one wondering what stands now. The others come before the work begins.
var strikesMidway = []error{
	vaultfile.ErrTooLarge, vaultfile.ErrBadValue, vaultfile.ErrMountPoint, vaultfile.ErrAttributes, vaultfile.ErrNotRegular,
	syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO, syscall.EROFS,
}

// withOwner puts in front of the hint of a refused permission whose the file is, if it can be seen.
func withOwner(err error, hint string) string {
	var pathErr *fs.PathError
	if !errors.As(err, &pathErr) {
		return hint
	}
	info, statErr := os.Stat(pathErr.Path)
	if statErr != nil {
		return hint
	}
	whose := ""
	if o, ok := owner.Of(info); ok {
		whose = fmt.Sprintf(" belongs to uid %d and", o.UID)
	}
	return fmt.Sprintf("%s%s has mode %04o; %s", pathErr.Path, whose, info.Mode().Perm(), hint)
}

// withState puts in front of a hint that nothing was changed, if that is known.
func withState(err error, hint string) string {
	var known unchangedError
	switch {
	case !errors.As(err, &known):
		return hint
	case hint == "":
		return nothingChanged
	}
	return nothingChanged + "; " + hint
}
