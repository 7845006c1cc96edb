//go:build !quickkdf

package kdf

// The cost of MVT1. See docs/format.md.
const (
	mvt1MemoryKiB  = 64 * 1024
	mvt1Iterations = 3
)

// Quick tells whether this build has the cheap derivation of tests. It is false in every build that is
// for use.
const Quick = false
