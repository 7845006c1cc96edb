// Package erase runs code that handles secrets so that what it leaves behind is overwritten.
//
// Libraries below us keep copies of what they are given: the AES key schedule, Argon2's pre-hash, the
// buffers of a hash function, the strings of a parser. [Do] erases such temporaries from the stack
// and the registers before it returns, [Registers] what signals saved of those meanwhile, and [Flush] both
// that and what is on the heap and nothing refers to any more.
//
// Guarantees. Built with GOEXPERIMENT=runtimesecret on linux/amd64 or linux/arm64 (as `make build`
// does), Do is runtime/secret.Do: stack, registers and every heap object that the function allocates
// are erased, heap objects at the first collection that finds them dead.
//
// Non-guarantees. Elsewhere Do overwrites the stack below the call and Flush returns free memory to
// the operating system: as much as a Go program can do by itself, and not complete. In either build,
// goroutines that the function starts are not covered, and the function must not call into C: see [Outside].
package erase

import "reflect"

// Object overwrites with zeros the object that p points to, for a dead object of another package
// that offers no way to wipe itself: a cipher.AEAD, say, which holds its key schedule inline. Memory that the
// object itself points to is not followed, and the object is unusable afterwards. It does nothing to what is no
// pointer, or nil: what a library returns behind an interface may change with its next release.
func Object(p any) {
	if v := reflect.ValueOf(p); v.Kind() == reflect.Pointer && !v.IsNil() {
		v.Elem().SetZero()
	}
}

// Outside calls f as if no [Do] were around it, on a goroutine of its own, and waits. It is for what
// must not happen under Do: calls into C, which the runtime does not survive there, and allocations
// that are to be kept as they are. f must not handle secrets.
func Outside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}
