//go:build !unix

package descriptor

import (
	"errors"
	"os"
)

const nonblock = 0

func duplicate(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }

func closeInPrograms(string, bool) error { return nil } // they inherit what they are given, and no more
