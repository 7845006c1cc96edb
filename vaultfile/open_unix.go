//go:build unix

package vaultfile

import "syscall"

// openNonblock keeps the opening of a named pipe from waiting for a writer.
const openNonblock = syscall.O_NONBLOCK
