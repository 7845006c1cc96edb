//go:build unix

package main

import (
	"runtime"
	"syscall"
)

// maxRSSMiB returns the peak of resident memory, which getrusage gives in KiB but on darwin in bytes.
func maxRSSMiB(usage *syscall.Rusage) float64 {
	if runtime.GOOS == "darwin" {
		return float64(usage.Maxrss) / (1 << 20)
	}
	return float64(usage.Maxrss) / (1 << 10)
}
