//go:build !unix

package mounts

// Same is false: nothing tells it here.
func Same(string, string) bool { return false }

// ReadOnly is false: nothing tells it here.
func ReadOnly(string) bool { return false }
