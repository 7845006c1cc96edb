//go:build !unix

package main

// sameFileSystem tells whether two paths are on one file system; false where that cannot be told.
func sameFileSystem(string, string) bool { return false }
