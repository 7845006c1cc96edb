// Package scan tells where in files and streams values are: the line, the column and the names of the secrets, never the value.
//
// Files are read in large pieces, several at a time, into locked memory. What is held of them does not depend on their size.
package scan

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/matcher"
)

// readBytes is how much of a file is read at a time.
const readBytes = 256 << 10

// Finding is a place where a value begins.
type Finding struct {
	Line   int // counted from 1
	Column int // in bytes, counted from 1
	Names  []string
}

// Scanner scans one stream after the other. It is not safe for concurrent use.
type Scanner struct {
	set *matcher.Set
	buf *lockedmem.Buffer
}

// NewScanner returns a scanner for the values of set. The caller closes it.
func NewScanner(set *matcher.Set) (*Scanner, error) {
	buf, err := lockedmem.New(set.Longest() + readBytes)
	if err != nil {
		return nil, err
	}
	return &Scanner{set, buf}, nil
}

// Close wipes what was read last.
func (s *Scanner) Close() { s.buf.Destroy() }

// Scan reads r to its end and reports what is found, in order. It ends early when ctx does.
func (s *Scanner) Scan(ctx context.Context, r io.Reader, report func(Finding)) error {
	at := place{line: 1, column: 1}
	defer s.wipe()
	held := 0 // bytes at the start of the buffer that may be the beginning of a value
	for final := false; !final; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(s.buf.Bytes()[held:])
		held += n
		final = errors.Is(err, io.EOF)
		if err != nil && !final {
			return err
		}
		data := s.buf.Bytes()[:held]
		for from := 0; ; {
			m, found := s.set.Find(data, from, final)
			at.moveTo(data, m.Start)
			if !found {
				held = copy(data, data[m.Start:])
				at.counted = 0
				break
			}
			report(Finding{at.line, at.column, s.set.Names(m)})
			from = m.End
		}
	}
	return nil
}

// wipe clears what the last stream has left.
func (s *Scanner) wipe() { clear(s.buf.Bytes()) }

// place is one in a stream that comes in pieces.
type place struct {
	line    int
	column  int
	counted int // where in the piece it is
}

// moveTo goes on to where data[at] is.
func (p *place) moveTo(data []byte, at int) {
	passed := data[p.counted:at]
	if lines := bytes.Count(passed, []byte("\n")); lines > 0 {
		p.line += lines
		p.column = len(passed) - bytes.LastIndexByte(passed, '\n')
	} else {
		p.column += len(passed)
	}
	p.counted = at
}
