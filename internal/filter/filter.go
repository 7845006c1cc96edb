// Package filter replaces values in a stream by the names of their secrets.
//
// A value is found wherever the stream is cut into pieces. What has come is passed on at once, but for an end that can still
// become a value: that waits for what comes behind it.
//
// All that passes through stands in locked memory, since it has values in it.
package filter

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/matcher"
)

const (
	readBytes  = 64 << 10 // room for what comes, beside what waits
	writeBytes = 64 << 10
)

// Filter is on the way from readers to a writer. It is not safe for concurrent use.
type Filter struct {
	set   *matcher.Set
	out   io.Writer
	in    *lockedmem.Buffer // what waits, and room
	held  int               // how much waits, from the start of in
	shown int               // how much of that has been passed on by Restless all the same
	gone  *lockedmem.Buffer // what is to be written
	ready int               // how much of it there is
	err   error             // of the writer; nothing is written after it
}

// New returns a filter that writes to out. The caller closes it, and destroys set after that.
func New(set *matcher.Set, out io.Writer) (*Filter, error) {
	in, err := lockedmem.New(set.Longest() + readBytes)
	if err != nil {
		return nil, err
	}
	gone, err := lockedmem.New(writeBytes)
	if err != nil {
		in.Destroy()
		return nil, err
	}
	return &Filter{set: set, out: out, in: in, gone: gone}, nil
}

// ReadFrom passes on what r has to its end, or until nothing can be written. What may yet become a value waits, after the end of r too: for
// the next reader, or Close.
func (f *Filter) ReadFrom(r io.Reader) (n int64, err error) {
	for {
		got, err := r.Read(f.in.Bytes()[f.held:])
		n += int64(got)
		f.held += got
		if got > 0 {
			f.pass(false)
		}
		switch {
		case f.err != nil:
			return n, f.err
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
	}
}

// Close passes on what waits, which does not become a value any more, and wipes the filter. It returns the error of the
// writer, if there was one.
func (f *Filter) Close() error {
	if f.in.Len() > 0 {
		f.pass(true)
	}
	f.in.Destroy()
	f.gone.Destroy()
	f.held = 0
	return f.err
}

// pass passes on what it can of what is held.
func (f *Filter) pass(final bool) {
	data := f.in.Bytes()[:f.held]
	at := 0
	for {
		m, found := f.set.Find(data, at, final)
		f.write(data[min(max(at, f.shown), m.Start):m.Start])
		at = m.Start
		if !found {
			break
		}
		f.write([]byte("[" + strings.Join(f.set.Names(m), ",") + "]"))
		at = m.End
	}
	f.flush()
	f.shown = max(f.shown-at, 0)
	f.held = copy(data, data[at:])
	clear(data[f.held:])
}

func (f *Filter) write(b []byte) {
	for len(b) > 0 {
		n := copy(f.gone.Bytes()[f.ready:], b)
		f.ready += n
		b = b[n:]
		if f.ready == f.gone.Len() {
			f.flush()
		}
	}
}

func (f *Filter) flush() {
	ready := f.gone.Bytes()[:f.ready]
	if f.err == nil && f.ready > 0 {
		_, f.err = f.out.Write(ready)
	}
	clear(ready)
	f.ready = 0
}

// A person who types sees each character because a program writes it back. Most characters are the beginning of the hexadecimal
// or the base64 of some value, so they would wait for the next one.
const (
	restlessAfter = 30 * time.Millisecond
	restlessBytes = 2
)

// Deadlined is a file whose reads can be bounded in time.
type Deadlined interface {
	io.Reader
	SetReadDeadline(t time.Time) error
}

// Restless is ReadFrom for a terminal: when nothing comes for a moment and no more than two bytes wait, they are shown. A value that is
// written more slowly than that shows its first two bytes, and no more, before its name.
func (f *Filter) Restless(r Deadlined) (n int64, err error) {
	return f.ReadFrom(&restless{f, r})
}

type restless struct {
	filter *Filter
	file   Deadlined
}

func (r *restless) Read(p []byte) (int, error) {
	f := r.filter
	if f.held == f.shown || f.held > restlessBytes {
		return r.file.Read(p)
	}
	if err := r.file.SetReadDeadline(time.Now().Add(restlessAfter)); err != nil {
		return r.file.Read(p) // a file without deadlines; what waits then waits
	}
	n, err := r.file.Read(p)
	if resetErr := r.file.SetReadDeadline(time.Time{}); resetErr != nil {
		return n, errors.Join(err, resetErr)
	}
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	f.write(f.in.Bytes()[f.shown:f.held])
	f.flush()
	f.shown = f.held
	return 0, nil
}
