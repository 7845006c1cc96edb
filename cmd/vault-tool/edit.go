package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/editing"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/vaultfile"
)

type editOptions struct {
	name      string // "": all
	allowDisk bool
}

type editSummary struct {
	VaultFile string   `json:"vault_file"`
	Added     []string `json:"added"`
	Changed   []string `json:"changed"`
	Removed   []string `json:"removed"`
	ETag      string   `json:"etag"`
}

// mostMistakes is how often a program that edits in a person's place is called again.
const mostMistakes = 3

// atOnce is how soon an editor ends that only hands the file to a window which goes on.
const atOnce = time.Second

func newEditCommand(a *app) *cobra.Command {
	var o editOptions
	cmd := &cobra.Command{
		Use:   "edit [NAME]",
		Short: "Change secrets in an editor",
		Long: `Change all secrets, or one, in the editor that $VISUAL or $EDITOR names. All secrets are shown as lines
NAME=value, with --json as an object; one alone as it is.

The text stands in a private directory on a file system in memory, which is wiped afterwards with all that
the editor leaves there. Where there is none the command refuses; --allow-disk takes the disk.

A mistake brings the editor back at its line, with the text as you left it. When the vault changed meanwhile,
the changes of both are put together by name; where both changed one name, the editor comes back. A text
that is left as it is changes nothing.`,
		Example:           "  vault-tool edit\n  vault-tool edit TLS_KEY\n  EDITOR='code --wait' vault-tool edit --scope acme --json",
		ValidArgsFunction: a.completeOneName,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("give the name of one secret, or none (%d arguments were given)", len(args))
			}
			return nil
		},
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error {
		if len(args) > 0 {
			o.name = args[0]
		}
		return a.runEdit(ctx, o)
	})
	cmd.Flags().StringVar(&o.name, "name", "", "the secret's name, if it is no argument")
	cmd.Flags().BoolVar(&o.allowDisk, "allow-disk", false, "edit on a disk, where there is no file system in memory")
	a.addIfMatch(cmd)
	a.addScope(cmd)
	_ = cmd.RegisterFlagCompletionFunc("name", a.completeNames) // fails for an unknown flag only
	return cmd
}

// edit is an edit under way.
type edit struct {
	*app
	options editOptions
	editor  editing.Editor
	dir     *editing.Directory
	memory  lockedmem.Arena

	base  map[string][]byte // the secrets that the text was made of, by their names in the scope
	text  *lockedmem.Buffer // as the editor left it
	line  int               // where it is wrong
	notes []string          // what is wrong, for its first lines
	their []editing.Secret  // the vault's values of names that both have changed, likewise
	asked bool              // the first lines of the text, as it was left, still ask for a decision
}

func (a *app) runEdit(ctx context.Context, o editOptions) (err error) {
	if o.name != "" {
		if _, err := a.fullNames([]string{o.name}); err != nil {
			return err
		}
	}
	a.interrupts.spare(os.Interrupt) // which is the editor's
	a.interrupts.holdOn()            // a second signal must not leave anything readable
	a.interrupts.catch()
	editor, err := editing.FindEditor(a.getenv)
	if err != nil {
		return &failure{code: exitUsage, err: err, hint: "name one: EDITOR=nano vault-tool edit"}
	}
	e := &edit{app: a, options: o, editor: editor}
	defer e.memory.Destroy()
	defer func() { e.text.Destroy() }()
	return leftUnchanged(a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		if err := e.read(ctx, u); err != nil {
			return err
		}
		if e.dir, err = editing.NewDirectory(a.getenv, o.allowDisk); err != nil {
			if errors.Is(err, editing.ErrNoMemory) {
				return &failure{code: exitInsecure, err: err, hint: "mount a tmpfs at /dev/shm, or edit on the disk with: --allow-disk"}
			}
			return err
		}
		deaf := make(chan os.Signal, 1)
		signal.Notify(deaf, os.Interrupt)
		defer signal.Stop(deaf)
		defer func() {
			if closeErr := e.dir.Close(); closeErr != nil {
				err = errors.Join(err, fmt.Errorf("secrets may be left in %s: %w", e.dir.Path(), closeErr))
			}
		}()
		return e.rounds(ctx, u)
	}))
}

// read takes the secrets that are to be edited.
func (e *edit) read(ctx context.Context, u *vaultfile.Unlocker) error {
	v, err := vaultfile.Open(ctx, e.vaultPath(), u)
	if err != nil {
		return err
	}
	defer v.Close()
	secrets := e.scope.Of(v)
	names := secrets.Names()
	if e.options.name != "" {
		names = []string{e.options.name}
		if !v.Has(e.scope.Name(e.options.name)) {
			return e.noSuchName(e.options.name)
		}
	}
	return e.setBase(names, secrets.Use)
}

func (e *edit) setBase(names []string, use func(string, func([]byte) error) error) error {
	e.base = make(map[string][]byte, len(names))
	for _, name := range names {
		err := use(name, func(value []byte) (err error) {
			e.base[name], err = e.memory.Copy(value)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rounds opens the editor until its text can be stored, or is left as it is.
func (e *edit) rounds(ctx context.Context, u *vaultfile.Unlocker) error {
	text, err := e.write(e.base)
	if err != nil {
		return err
	}
	mistakes := 0
	for again := false; ; again = true {
		left, quick, err := e.run(ctx, text)
		text.Destroy()
		if err != nil {
			return err
		}
		same := e.text != nil && bytes.Equal(e.text.Bytes(), left.Bytes())
		e.text.Destroy()
		e.text = left
		edited, err := e.parse(left.Bytes())
		switch {
		case e.asked || e.their != nil && same && !e.hasNotes():
			return conflict("run the command again; "+nothingChanged, "%s: no decision about names that were changed in the vault meanwhile, and here too", e.vaultPath())
		case err != nil && (again && same || mistakes == mostMistakes && !terminal.Is(e.stdin)):
			return badInput("correct the text; "+nothingChanged, "%w", err)
		case err != nil:
			mistakes++
			e.mistake(err)
		case mapsEqual(edited, e.base):
			return e.nothing(quick)
		default:
			err = e.store(ctx, u, edited)
			var conflicts *conflictError
			if !errors.As(err, &conflicts) {
				return err
			}
			e.warn("%v", err)
			e.notes, e.their, e.line = conflicts.notes(), conflicts.their, 0
			if text, err = e.write(conflicts.merged); err != nil {
				return err
			}
			e.text.Destroy()
			if e.text, err = e.write(conflicts.merged); err != nil {
				return err
			}
			continue
		}
		if text, err = copyOf(left.Bytes()); err != nil {
			return err
		}
	}
}

func copyOf(b []byte) (*lockedmem.Buffer, error) {
	buf, err := lockedmem.New(len(b))
	if err == nil {
		copy(buf.Bytes(), b)
	}
	return buf, err
}

// mistake notes what is wrong with the text, for the next round.
func (e *edit) mistake(err error) {
	e.notes, e.line = []string{err.Error()}, 0
	var line *editing.LineError
	var payload *vaultfile.PayloadError
	switch {
	case errors.As(err, &line):
		e.line = line.Line
	case errors.As(err, &payload):
		e.line = payload.Line
	}
	e.warn("%v", err)
}

func (e *edit) nothing(quick bool) error {
	e.note("nothing was changed")
	if quick {
		fmt.Fprintf(e.stderr, "vault-tool: hint: %s ended at once; an editor with windows needs an option to wait, such as: EDITOR='%s --wait'\n",
			printable(e.editor.Name()), printable(e.editor.Name()))
	}
	if !e.json {
		return nil
	}
	etag, err := vaultfile.ETag(e.vaultPath())
	if err != nil {
		return err
	}
	return e.printJSON(editSummary{e.vaultPath(), []string{}, []string{}, []string{}, etag})
}

// fileName is what the editor shows, and goes by for its colours.
func (e *edit) fileName() string {
	switch {
	case e.options.name != "":
		return strings.ReplaceAll(e.options.name, "/", "-")
	case e.json:
		return "secrets.json"
	}
	return "secrets.env"
}

// noteMark begins the lines in front of a text that tell what is wrong with it. They go with the next reading.
const noteMark = "#! "

// run shows a text in the editor, and returns it as it was left, without the notes. quick tells that the editor was done at once.
func (e *edit) run(ctx context.Context, text *lockedmem.Buffer) (left *lockedmem.Buffer, quick bool, err error) {
	shown, noteLines, err := e.withNotes(text)
	if err != nil {
		return nil, false, err
	}
	defer shown.Destroy()
	path, err := e.dir.Write(e.fileName(), shown.Bytes())
	if err != nil {
		return nil, false, err
	}
	line := e.line
	if line > 0 {
		line += noteLines
	}
	began := time.Now()
	if err := e.editor.Run(ctx, path, line, [3]*os.File{e.stdin, e.stderrOrStdout(), e.stderr}); err != nil {
		return nil, false, err
	}
	quick = time.Since(began) < atOnce
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close() // opened for reading only
	if left, err = lockedmem.ReadAll(f, vaultfile.MaxFileBytes); err != nil {
		return nil, false, err
	}
	e.asked = e.their != nil && bytes.HasPrefix(left.Bytes(), []byte(noteMark))
	return withoutNotes(left), quick, nil
}

// hasNotes tells whether the form of the text has comments, in which notes can stand.
func (e *edit) hasNotes() bool { return e.options.name == "" && !e.json }

// withNotes puts what is wrong in front of a text.
func (e *edit) withNotes(text *lockedmem.Buffer) (shown *lockedmem.Buffer, lines int, err error) {
	const theirs = noteMark + "in the vault now: "
	size := text.Len()
	if e.hasNotes() {
		for _, note := range e.notes {
			size += len(noteMark) + len(note) + len("\n")
		}
		for _, s := range e.their {
			size += len(theirs) + editing.TextLen([]editing.Secret{s})
		}
		lines = len(e.notes) + len(e.their)
	}
	if shown, err = lockedmem.New(size); err != nil {
		return nil, 0, err
	}
	dst := shown.Bytes()[:0]
	if e.hasNotes() {
		for _, note := range e.notes {
			dst = append(append(append(dst, noteMark...), note...), '\n')
		}
		for _, s := range e.their {
			dst = editing.AppendText(append(dst, theirs...), []editing.Secret{s})
		}
	}
	copy(shown.Bytes()[len(dst):], text.Bytes())
	return shown, lines, nil
}

// stderrOrStdout is where the editor shows itself: with --json standard output is for the summary.
func (e *edit) stderrOrStdout() *os.File {
	if e.json {
		return e.stderr
	}
	return e.stdout
}

// withoutNotes cuts the notes off the front of a text.
func withoutNotes(text *lockedmem.Buffer) *lockedmem.Buffer {
	rest := text.Bytes()
	for bytes.HasPrefix(rest, []byte(noteMark)) {
		_, rest, _ = bytes.Cut(rest, []byte{'\n'})
	}
	n := copy(text.Bytes(), rest)
	text.Truncate(n)
	return text
}

// write makes the text of secrets.
func (e *edit) write(secrets map[string][]byte) (*lockedmem.Buffer, error) {
	if e.options.name != "" {
		value := secrets[e.options.name]
		buf, err := lockedmem.New(len(value) + len("\n")) // which editors add, and parse drops
		if err == nil {
			buf.Bytes()[copy(buf.Bytes(), value)] = '\n'
		}
		return buf, err
	}
	list := sortedSecrets(secrets)
	if e.json {
		return jsonText(list)
	}
	buf, err := lockedmem.New(len(editing.Head) + editing.TextLen(list))
	if err == nil {
		editing.AppendText(append(buf.Bytes()[:0], editing.Head...), list)
	}
	return buf, err
}

func sortedSecrets(secrets map[string][]byte) []editing.Secret {
	list := make([]editing.Secret, 0, len(secrets))
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		list = append(list, editing.Secret{Name: name, Value: secrets[name]})
	}
	return list
}

func jsonText(list []editing.Secret) (*lockedmem.Buffer, error) {
	size := len("{\n}\n")
	for _, s := range list {
		size += len("\n  ,") + jsonPairLen(s.Name, s.Value)
	}
	buf, err := lockedmem.New(size)
	if err != nil {
		return nil, err
	}
	text := append(buf.Bytes()[:0], '{')
	for i, s := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendJSONPair(append(text, "\n  "...), s.Name, s.Value)
	}
	text = append(text, "\n}\n"...)
	buf.Truncate(len(text))
	return buf, nil
}

// parse reads the text as it was left.
func (e *edit) parse(text []byte) (map[string][]byte, error) {
	if name := e.options.name; name != "" {
		value := bytes.TrimSuffix(text, []byte{'\n'})
		return map[string][]byte{name: value}, vaultfile.ValidateValue(value)
	}
	list, err := e.parseList(text)
	if err != nil {
		return nil, err
	}
	edited := make(map[string][]byte, len(list))
	for _, s := range list {
		err := vaultfile.ValidateName(e.scope.Name(s.Name))
		if err == nil {
			err = vaultfile.ValidateValue(s.Value)
		}
		if err != nil {
			return nil, &editing.LineError{Line: editing.LineOf(text, s.Name), Reason: err.Error()}
		}
		edited[s.Name] = s.Value
	}
	return edited, nil
}

func (e *edit) parseList(text []byte) ([]editing.Secret, error) {
	if !e.json {
		return editing.ParseText(text, &e.memory)
	}
	decoded, err := e.memory.Copy(text) // which is decoded in place
	if err != nil {
		return nil, err
	}
	patch, err := vaultfile.ParsePatch(decoded)
	if err != nil {
		return nil, err
	}
	var list []editing.Secret
	return list, patch.Each(func(name string, value []byte) error {
		if value == nil {
			return fmt.Errorf("%s is null; a secret is removed with its line", name)
		}
		list = append(list, editing.Secret{Name: name, Value: value})
		return nil
	})
}

// mapsEqual tells whether two sets of secrets are the same.
func mapsEqual(a, b map[string][]byte) bool { return maps.EqualFunc(a, b, bytes.Equal) }
