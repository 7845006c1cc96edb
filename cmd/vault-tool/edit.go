package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/durable"
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
	if err := a.matchFirst(); err != nil {
		return err
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

// matchFirst looks at --if-match before anybody types.
func (a *app) matchFirst() error {
	if a.ifMatch == "" {
		return nil
	}
	etag, err := vaultfile.ETag(a.vaultPath())
	if err == nil && etag != a.ifMatch {
		err = leftUnchanged(fmt.Errorf("%s: %w (its ETag is another one)", a.vaultPath(), vaultfile.ErrChanged))
	}
	return err
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
		if !v.Has(e.scope.Name(e.options.name)) {
			return e.noSuchName(names, e.options.name)
		}
		names = []string{e.options.name}
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
		case e.asked || e.their != nil && same && !e.hasNotes() && !e.decided(ctx):
			return conflict("run the command again; "+nothingChanged, "%s: no decision about names that were changed in the vault meanwhile, and here too", e.vaultPath())
		case err != nil && (again && same || mistakes == mostMistakes && !terminal.Is(e.stdin)):
			return badInput("correct the text; "+nothingChanged, "%w", err)
		case err != nil:
			mistakes++
			e.mistake(err)
		case mapsEqual(edited, e.base):
			return e.nothing(quick)
		default:
			err = e.storeAgain(ctx, u, edited)
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

// decided asks who edits a text without room for notes whether it counts, though others have changed the same.
func (e *edit) decided(ctx context.Context) bool {
	return e.answered(ctx, "Type yes to store yours all the same:", func(answer string) bool { return answer == "yes" })
}

// storeAgain is store that asks somebody at a terminal whether to try again where it fails: what was typed is not to be lost because another
// process held the lock, or a disk was full.
func (e *edit) storeAgain(ctx context.Context, u *vaultfile.Unlocker, edited map[string][]byte) error {
	for {
		err := e.store(ctx, u, edited)
		var conflicts *conflictError
		if err == nil || errors.As(err, &conflicts) || ctx.Err() != nil || durable.InPlace(err) || !terminal.Is(e.stdin) {
			return err
		}
		e.warn("%v", err)
		again := e.answered(ctx, "Nothing was stored, and the text is kept. Press Enter to try again, or type no to give it up:",
			func(answer string) bool { return answer == "" || answer == "yes" || answer == "y" })
		if !again {
			return err
		}
	}
}

// answered asks at a terminal, if there is one.
func (e *edit) answered(ctx context.Context, question string, accept func(answer string) bool) bool {
	if !terminal.Is(e.stdin) {
		return false
	}
	e.ask(question)
	answer, err := e.readInputLine(ctx)
	return err == nil && accept(answer)
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

// mapsEqual tells whether two sets of secrets are the same.
func mapsEqual(a, b map[string][]byte) bool { return maps.EqualFunc(a, b, bytes.Equal) }
