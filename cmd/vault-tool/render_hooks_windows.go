package main

import "syscall"

func parseSignal(string) (syscall.Signal, error) {
	return 0, badInput("use --on-change", "--signal is not available on this system")
}
