package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/editing"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/vaultfile"
)

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
	e.hideKey()
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
	if !e.hasNotes() { // a value may begin as a note does
		return left, quick, nil
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
