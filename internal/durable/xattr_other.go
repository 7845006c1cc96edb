//go:build !linux && !darwin

package durable

import (
	"errors"
	"os"
)

func readXattrs(*os.File) (map[string][]byte, error) { return nil, nil }

func setXattr(*os.File, string, []byte) error { return errors.ErrUnsupported }

func removeXattr(*os.File, string) error { return errors.ErrUnsupported }

func isKernelXattr(string) bool { return false }
