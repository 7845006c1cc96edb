//go:build !linux

package keysource

import "os"

// readableByCallerOnly knows no access control lists here: the mode alone counts.
func readableByCallerOnly(*os.File) bool { return false }
