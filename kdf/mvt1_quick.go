//go:build quickkdf

package kdf

// A build with the tag quickkdf is for tests that kill a command a thousand times: its derivation costs
// next to nothing, and so does guessing a passphrase. It cannot open a vault of any other build, nor
// can they open its vaults.
const (
	mvt1MemoryKiB  = 64
	mvt1Iterations = 1
)

// Quick tells whether this build has the cheap derivation of tests.
const Quick = true
