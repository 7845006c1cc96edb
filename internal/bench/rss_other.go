//go:build !unix

package main

import "syscall"

// maxRSSMiB is not known here.
func maxRSSMiB(*syscall.Rusage) float64 { return 0 }
