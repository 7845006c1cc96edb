package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
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
