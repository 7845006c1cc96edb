package lockedmem

import (
	"errors"
	"fmt"
	"io"
)

// ErrTooLarge is returned by [ReadAll] for an input beyond its limit.
var ErrTooLarge = errors.New("input too large")

// firstReadBytes is the size ReadAll starts with: enough for any passphrase.
const firstReadBytes = 512

// ReadAll reads r to its end into a new buffer, without a copy on the heap as long as r itself makes
// none (an *os.File does not). The buffer has exactly the length of the input. An input of more than
// limit bytes is refused with [ErrTooLarge]; no more than limit+1 bytes are read then.
func ReadAll(r io.Reader, limit int) (*Buffer, error) {
	buf, err := New(min(firstReadBytes, limit+1))
	if err != nil {
		return nil, err
	}
	n := 0
	for {
		if n == buf.Len() {
			if n > limit {
				buf.Destroy()
				return nil, fmt.Errorf("%w: over %d bytes", ErrTooLarge, limit)
			}
			if buf, err = Grow(buf, min(2*n, limit+1)); err != nil {
				return nil, err
			}
		}
		m, err := r.Read(buf.Bytes()[n:])
		n += m
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			buf.Destroy()
			return nil, err
		}
	}
	if n > limit {
		buf.Destroy()
		return nil, fmt.Errorf("%w: over %d bytes", ErrTooLarge, limit)
	}
	buf.Truncate(n)
	return buf, nil
}

// Grow moves the content of buf to a buffer of size bytes, more than it has, and destroys buf, also when it fails.
func Grow(buf *Buffer, size int) (*Buffer, error) {
	defer buf.Destroy()
	larger, err := New(size)
	if err != nil {
		return nil, err
	}
	copy(larger.Bytes(), buf.Bytes())
	return larger, nil
}
