//go:build !linux

package kdf

// prefault is a gain on Linux only.
func prefault(int) {}
