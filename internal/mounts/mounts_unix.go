//go:build unix

// Package mounts tells how the file systems are mounted that paths lead to.
package mounts

import (
	"errors"

	"golang.org/x/sys/unix"
)

// ReadOnly tells whether the file system that path is on is mounted read-only; false where that cannot be told.
func ReadOnly(path string) bool { return errors.Is(unix.Access(path, unix.W_OK), unix.EROFS) }
