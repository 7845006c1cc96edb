package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// endingSignals cancel a command.
var endingSignals = []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP}

// hardenProcess keeps other processes of the same user from reading this one's memory and from
// attaching to it. Best effort: a kernel that refuses only leaves the default.
func hardenProcess() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
