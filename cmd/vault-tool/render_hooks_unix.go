//go:build unix

package main

import (
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// parseSignal reads a signal's name, with or without SIG, or number.
func parseSignal(text string) (syscall.Signal, error) {
	name := strings.ToUpper(text)
	if signo := unix.SignalNum("SIG" + strings.TrimPrefix(name, "SIG")); signo != 0 {
		return signo, nil
	}
	if n, err := strconv.Atoi(text); err == nil && unix.SignalName(syscall.Signal(n)) != "" {
		return syscall.Signal(n), nil
	}
	return 0, badInput("give a name, such as HUP or USR1", "--signal is not a signal of this system")
}
