package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// endingSignals cancel a command.
var endingSignals = []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP}

// minOpenFiles is how many files the runtime and a command have open at the most.
const minOpenFiles = 16

// checkOpenFiles returns an error for a limit on open files (RLIMIT_NOFILE) at which the runtime would crash.
func checkOpenFiles() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < minOpenFiles {
		return fmt.Errorf("only %d files may be open, and vault-tool needs %d", limit.Cur, minOpenFiles)
	}
	return nil
}
