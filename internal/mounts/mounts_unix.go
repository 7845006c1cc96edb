//go:build unix

// Package mounts tells how the file systems are mounted that paths lead to.
package mounts

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Same tells whether two paths are on one file system; false where that cannot be told.
func Same(a, b string) bool {
	var statA, statB unix.Stat_t
	return unix.Stat(a, &statA) == nil && unix.Stat(b, &statB) == nil && statA.Dev == statB.Dev
}

// ReadOnly tells whether the file system that path is on is mounted read-only; false where that cannot be told.
func ReadOnly(path string) bool { return errors.Is(unix.Access(path, unix.W_OK), unix.EROFS) }
