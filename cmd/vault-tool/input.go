package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/vaultfile"
)

// readInput reads f to its end into locked memory, at most limit bytes. what names the input for
// errors. A signal, or a cancelled context, ends the wait; the reading goroutine and its buffer stay behind then,
// for a process that is about to end.
func (a *app) readInput(ctx context.Context, f *os.File, what string, limit int) (*lockedmem.Buffer, error) {
	type result struct {
		buf *lockedmem.Buffer
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		erase.Do(func() { r.buf, r.err = lockedmem.ReadAll(descriptor.Reader(ctx, f), limit) }) // which a new goroutine does not inherit
		done <- r
	}()
	a.interrupts.catch() // meanwhile; what is to come may take its time
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		if errors.Is(r.err, lockedmem.ErrTooLarge) {
			return nil, badInput("nothing was changed", "%s has more than %d bytes", what, limit)
		}
		if r.err != nil {
			return nil, fmt.Errorf("read %s: %w", what, r.err)
		}
		return r.buf, nil
	}
}

// readChanges reads a file, a descriptor that is named by its path, or standard input, which have a text of the given form.
func (a *app) readChanges(ctx context.Context, file, form string) (*lockedmem.Buffer, error) {
	input, err := a.readFile(ctx, file, form, vaultfile.MaxFileBytes)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(input.Bytes())) == 0 {
		input.Destroy()
		return nil, badInput("pipe it in, or name a file; nothing was changed", "%s is empty; a %s was expected", inputName(file), form)
	}
	return input, nil
}

// readFile reads a file, a descriptor that is named by its path, or standard input. A terminal is told what is waited for.
func (a *app) readFile(ctx context.Context, file, form string, limit int) (*lockedmem.Buffer, error) {
	if file == stdinName {
		if terminal.Is(a.stdin) {
			a.interrupts.catch() // before somebody reads that and thinks better of it
			a.ask("Reading a " + form + " from the terminal, where it is visible; end with Ctrl-D.")
		}
		return a.readInput(ctx, a.stdin, inputName(file), limit)
	}
	f, err := descriptor.Open(file)
	if err != nil {
		return nil, inputFileError(file, err)
	}
	input, err := a.readInput(ctx, f, file, limit)
	if closeErr := f.Close(); err == nil && closeErr != nil {
		input.Destroy()
		err = closeErr
	}
	return input, inputFileError(file, err)
}

// inputName names an input in messages.
func inputName(file string) string {
	if file == stdinName {
		return "standard input"
	}
	return file
}

// inputFileError adds exit code and hint to an error about a file that is read.
func inputFileError(path string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return &failure{code: exitNotFound, err: err, hint: "check the path; - is standard input"}
	case errors.Is(err, syscall.EISDIR):
		return badInput("give the path of a file", "%s is a directory", path)
	}
	return err
}

// readInputLine reads a line from a terminal that shows it.
func (a *app) readInputLine(ctx context.Context) (string, error) {
	type result struct {
		line string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(a.stdin).ReadString('\n')
		done <- result{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-done:
		if errors.Is(r.err, io.EOF) {
			r.err = nil
		}
		return r.line, r.err
	}
}

// dropNewline removes one trailing newline, "\n" or "\r\n": the one that echo and editors add.
func dropNewline(buf *lockedmem.Buffer) {
	n := buf.Len()
	if n > 0 && buf.Bytes()[n-1] == '\n' {
		n--
		if n > 0 && buf.Bytes()[n-1] == '\r' {
			n--
		}
		buf.Truncate(n)
	}
}
