//go:build unix

package main

import "golang.org/x/sys/unix"

// sameFileSystem tells whether two paths are on one file system; false where that cannot be told.
func sameFileSystem(a, b string) bool {
	var statA, statB unix.Stat_t
	return unix.Stat(a, &statA) == nil && unix.Stat(b, &statB) == nil && statA.Dev == statB.Dev
}
