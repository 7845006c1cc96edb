package descriptor

import (
	"context"
	"io"
	"os"
)

// Reader returns a reader of f whose Read waits for data, or for the writer of a named pipe, no longer than
// until ctx ends. The error is the context's then. On Windows a read that waits cannot be cut off.
func Reader(ctx context.Context, f *os.File) io.Reader { return &reader{ctx, f} }

type reader struct {
	ctx  context.Context
	file *os.File
}

func (r *reader) Read(p []byte) (int, error) {
	if err := awaitReadable(r.ctx, r.file); err != nil {
		return 0, err
	}
	return r.file.Read(p)
}
