//go:build !(goexperiment.runtimesecret && linux && (amd64 || arm64))

package erase

import (
	"runtime/debug"
)

// Complete tells whether Do and Flush together erase every temporary of the calling goroutine.
const Complete = false

// scrubBytes is the depth of stack that Do overwrites. The deepest user, Argon2id, goes about 6 KiB
// down; growing the stack this far before the call also keeps it from moving during the call, which
// would leave an unwiped copy behind.
const scrubBytes = 64 << 10

// Do calls f with enough stack below it, and overwrites that stack before returning. The heap is
// [Flush]'s matter.
func Do(f func()) {
	scrubStack()
	defer scrubStack()
	f()
}

// scrubStack overwrites scrubBytes of stack below its caller's frame, from above in small frames. With one large
// frame the runtime would grow the stack first: it would copy what is in use to a new place and give the old one, with
// all that stands below it, back as it is. This way that has been overwritten by then.
func scrubStack() { scrubFrames(scrubBytes / frameBytes) }

// frameBytes is small enough to fit what is left of a stack that is about to grow.
const frameBytes = 256

//go:noinline
func scrubFrames(left int) {
	var frame [frameBytes]byte
	overwrite(&frame)
	if left > 1 {
		scrubFrames(left - 1)
	}
}

// overwrite is apart from scrubFrames so that the compiler cannot drop the stores as dead.
//
//go:noinline
func overwrite(frame *[frameBytes]byte) { clear(frame[:]) }

// Flush collects garbage and returns the free pages to the operating system, so that their content
// is gone. Dead objects that share a page with a live one stay until they are reused.
func Flush() { debug.FreeOSMemory() }
