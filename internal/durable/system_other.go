//go:build !linux

package durable

import (
	"errors"
	"os"
)

func isMountPoint(*directory, string) bool { return false }

func hasWriters(*os.File) bool { return false }

// renameExchange is not offered; the caller falls back on a hard link to the old file and a plain rename.
func renameExchange(*directory, string, string) error { return errors.ErrUnsupported }

// renameNoReplace is not offered; the caller falls back on a hard link, which never overwrites.
func renameNoReplace(*directory, string, string) error { return errors.ErrUnsupported }
