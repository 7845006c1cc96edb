package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	mib = 1 << 20

	// maxToolMiB is the goal for vault-tool, stripped.
	maxToolMiB = 8
)

// printSizes prints the sizes of the two programs. That of the second is left out where it is not beside the first.
func printSizes(out io.Writer, tool string) error {
	info, err := os.Stat(tool)
	if err != nil {
		return err
	}
	size := float64(info.Size()) / mib
	fmt.Fprintf(out, "\nvault-tool has %.1f MiB (goal %s: %s)", size, bound(maxToolMiB), verdict(size, maxToolMiB))
	info, err = os.Stat(tool + "-net")
	switch {
	case err == nil:
		fmt.Fprintf(out, ", vault-tool-net %.1f MiB", float64(info.Size())/mib)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	fmt.Fprintln(out, ".")
	return nil
}
