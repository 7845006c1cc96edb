package erase_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"os/user"
	"reflect"
	"testing"
	"unsafe"

	"github.com/mazevault/vault-tool/internal/erase"
)

// TestObjectWipesCiphers looks into the memory of the objects that hold a key schedule.
func TestObjectWipesCiphers(t *testing.T) {
	key := bytes.Repeat([]byte("0123456789abcdef"), 2)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	for name, object := range map[string]any{"block": block, "aead": aead} {
		memory := memoryOf(object)
		if bytes.Count(memory, []byte{0}) == len(memory) {
			t.Fatalf("%s: the object holds nothing inline, so this test shows nothing", name)
		}
		erase.Object(object)
		if !bytes.Equal(memory, make([]byte, len(memory))) {
			t.Errorf("%s: not all of %d bytes are zero", name, len(memory))
		}
	}
}

// TestObjectLeavesWhatIsNoPointer: a cipher that a later Go returns by value must not end the program.
func TestObjectLeavesWhatIsNoPointer(t *testing.T) {
	for _, p := range []any{nil, (*int)(nil), 7, "text", struct{ a int }{1}, []byte{1}, func() {}} {
		erase.Object(p)
	}
}

func memoryOf(p any) []byte {
	v := reflect.ValueOf(p)
	return unsafe.Slice((*byte)(v.UnsafePointer()), v.Type().Elem().Size())
}

func TestDoCallsOnceAndPassesPanicsOn(t *testing.T) {
	calls := 0
	erase.Do(func() { calls++ })
	if calls != 1 {
		t.Errorf("called %d times", calls)
	}
	boom := errors.New("boom")
	defer func() {
		if r := recover(); r != boom {
			t.Errorf("recovered %v", r)
		}
	}()
	erase.Do(func() { panic(boom) })
}

// TestDoWithDeepStacks makes the stack move inside Do.
func TestDoWithDeepStacks(t *testing.T) {
	var sum int
	erase.Do(func() { sum = deep(2000) })
	erase.Flush()
	if sum != 2000*2001/2 {
		t.Errorf("sum %d", sum)
	}
}

//go:noinline
func deep(n int) int {
	var frame [128]byte
	frame[n%128] = 1
	if n == 0 {
		return 0
	}
	return n + deep(n-1) + int(frame[(n+1)%128])
}

// TestOutsideOfDo looks up a user inside of Do, which calls into C in builds with cgo.
func TestOutsideOfDo(t *testing.T) {
	var err error
	erase.Do(func() {
		erase.Outside(func() { _, err = user.Lookup("no-such-user-here") })
	})
	if err == nil {
		t.Error("there is such a user")
	}
}
