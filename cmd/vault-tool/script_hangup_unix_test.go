//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// heedHangUp makes the programs that the tests start heed SIGHUP, also where the tests run under nohup: a signal that is ignored is
// so in every child, one that is caught is not.
func heedHangUp() {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
}
