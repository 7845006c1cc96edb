//go:build !unix

package descriptor

import (
	"context"
	"os"
)

func awaitReadable(ctx context.Context, _ *os.File) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return nil
}
