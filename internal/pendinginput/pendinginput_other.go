//go:build !linux

package pendinginput

import "os"

// Waiting returns false: here nothing tells whose standard input it is.
func Waiting(*os.File) bool { return false }
