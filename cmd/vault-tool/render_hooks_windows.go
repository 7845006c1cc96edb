package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

func parseSignal(string) (syscall.Signal, error) {
	return 0, badInput("use --on-change", "--signal is not available on this system")
}

func endAsGroup(*exec.Cmd) {}

func openPlain(path string) (*os.File, error) { return os.Open(path) }

func signalPIDFile(string, syscall.Signal) error { return errors.ErrUnsupported }
