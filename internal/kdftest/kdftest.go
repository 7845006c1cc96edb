// Package kdftest is for tests that need the derivation that MVT1 really has.
//
// Most of the suite runs with the build tag quickkdf, whose derivation costs next to nothing. What has
// a vault of another program before it, looks for the traces of a real derivation, or measures one
// calls [NeedsMVT1] and runs in the pass without the tag.
package kdftest

import (
	"testing"

	"github.com/mazevault/vault-tool/kdf"
)

// NeedsMVT1 skips a test in a build with the cheap derivation.
func NeedsMVT1(tb testing.TB) {
	tb.Helper()
	if kdf.Quick {
		tb.Skip("needs the real key derivation: runs without -tags quickkdf")
	}
}
