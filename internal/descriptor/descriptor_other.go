//go:build !unix

package descriptor

import (
	"errors"
	"os"
)

const nonblock = 0

func duplicate(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }

func replaceStdin() error { return errors.ErrUnsupported }
