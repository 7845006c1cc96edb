package render

import (
	"bytes"
	"errors"
	"io"
)

// equalContent tells whether r has exactly the bytes of value. It reads through scratch.
func equalContent(r io.Reader, value, scratch []byte) (bool, error) {
	for {
		n, err := r.Read(scratch)
		if n > len(value) || !bytes.Equal(scratch[:n], value[:n]) {
			return false, nil
		}
		value = value[n:]
		switch {
		case errors.Is(err, io.EOF):
			return len(value) == 0, nil
		case err != nil:
			return false, err
		}
	}
}
