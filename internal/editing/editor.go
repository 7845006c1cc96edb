package editing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoEditor: neither VISUAL nor EDITOR is set, and no editor was found.
var ErrNoEditor = errors.New("no editor was found")

// Editor is a command line, as VISUAL and EDITOR have it.
type Editor struct{ command string }

// FindEditor is VISUAL, or EDITOR, or an editor that most hosts have.
func FindEditor(getenv func(string) string) (Editor, error) {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if command := strings.TrimSpace(getenv(name)); command != "" {
			return Editor{command}, nil
		}
	}
	for _, name := range []string{"editor", "vi", "nano"} {
		if path, err := exec.LookPath(name); err == nil {
			return Editor{path}, nil
		}
	}
	return Editor{}, ErrNoEditor
}

// Name is the editor's, for messages.
func (e Editor) Name() string { return e.command }

// takesLine are editors that begin at line N when +N stands before the file.
var takesLine = []string{"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "joe", "jed", "kak", "micro", "mcedit", "ne", "ex", "view", "editor"}

// private are the options with which editors keep no copies of a text elsewhere: no swap file, no register that is saved, no undo file.
var private = map[string]string{
	"vim":  "-n -i NONE --cmd 'set nobackup nowritebackup noundofile'",
	"nvim": "-n -i NONE --cmd 'set nobackup nowritebackup noundofile'",
}

// graceAfterTerm is how long an editor has to end when it is told to.
const graceAfterTerm = time.Second

// Run edits a file, beginning at a line (0: wherever the editor likes), and waits for the editor's end. Temporary files of the editor go beside
// the file. The error tells how it ended, or is the context's.
func (e Editor) Run(ctx context.Context, path string, line int, streams [3]*os.File) error {
	words := strings.Fields(e.command)
	base := filepath.Base(words[0])
	script := e.command
	if !strings.ContainsAny(script, "|&;<>()=") {
		script = "exec " + script // so that what ends the shell ends the editor
	}
	if options := private[base]; options != "" {
		script += " " + options
	}
	args := []string{"-c", script + ` "$@"`, "sh"}
	if line > 0 && slices.Contains(takesLine, base) {
		args = append(args, "+"+strconv.Itoa(line))
	}
	cmd := exec.CommandContext(ctx, "sh", append(args, path)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = streams[0], streams[1], streams[2]
	dir := filepath.Dir(path)
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "TMP="+dir, "TEMP="+dir)
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	cmd.WaitDelay = graceAfterTerm
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("the editor %s failed: %w", base, err)
	}
	return err
}
