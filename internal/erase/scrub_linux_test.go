//go:build !(goexperiment.runtimesecret && (amd64 || arm64))

package erase

import (
	"bytes"
	"os"
	"testing"
	"unsafe"
)

const secretFrameBytes = 1024

// TestScrubBeforeTheStackGrows: what a function left on a small stack is overwritten although the scrubbing makes the
// runtime move the stack to a larger place. What was freed is read at its address.
func TestScrubBeforeTheStackGrows(t *testing.T) {
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Skip(err)
	}
	defer memory.Close()
	for range 20 {
		address := make(chan uintptr)
		go func() { // with a stack of a few KiB, as every goroutine
			at := leaveSecret()
			scrubStack()
			address <- at
		}()
		var left [secretFrameBytes]byte
		if _, err := memory.ReadAt(left[:], int64(<-address)); err != nil {
			continue // the stack has been given back to the system
		}
		if n := bytes.Count(left[:], []byte{secretByte}); n > secretFrameBytes/8 {
			t.Fatalf("%d of %d bytes are left", n, secretFrameBytes)
		}
	}
}

const secretByte = 0xA7

// leaveSecret fills its frame and tells where that was.
//
//go:noinline
func leaveSecret() uintptr {
	var frame [secretFrameBytes]byte
	fill(&frame)
	return uintptr(unsafe.Pointer(&frame))
}

//go:noinline
func fill(frame *[secretFrameBytes]byte) {
	for i := range frame {
		frame[i] = secretByte
	}
}
