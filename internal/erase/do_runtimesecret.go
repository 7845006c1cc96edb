//go:build goexperiment.runtimesecret && linux && (amd64 || arm64)

package erase

import (
	"runtime"
	"runtime/secret"
)

// Complete tells whether Do and Flush together erase every temporary of the calling goroutine.
const Complete = true

// Do calls f and erases the stack and registers it used before returning. Heap objects that f
// allocated are erased at the first garbage collection after nothing refers to them; see [Flush].
func Do(f func()) { secret.Do(f) }

// Flush erases the dead heap objects of earlier calls of [Do], by a full garbage collection.
func Flush() { runtime.GC() }
