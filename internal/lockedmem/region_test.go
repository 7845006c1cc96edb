package lockedmem

import (
	"bytes"
	"runtime/debug"
	"testing"
)

// faults tells whether f reads or writes where it must not.
func faults(f func()) (fault bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { fault = recover() != nil }()
	f()
	return false
}

// TestFrozenBuffer can be read and not written, and is wiped all the same.
func TestFrozenBuffer(t *testing.T) {
	for _, size := range []int{1, 100, maxSmallBytes, 3 << 20} {
		b, err := NewOwn(size)
		if err != nil {
			t.Fatal(err)
		}
		copy(b.Bytes(), bytes.Repeat([]byte{7}, size))
		if err := b.Freeze(); err != nil {
			t.Fatal(err)
		}
		if b.Bytes()[0] != 7 || b.Bytes()[size-1] != 7 {
			t.Errorf("size %d: a frozen buffer cannot be read", size)
		}
		if !faults(func() { b.Bytes()[size-1] = 8 }) {
			t.Errorf("size %d: a frozen buffer was written", size)
		}
		b.Destroy()
	}
	shared, err := New(10)
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Destroy()
	if err := shared.Freeze(); err != nil {
		t.Fatal(err)
	}
	shared.Bytes()[0] = 1 // its neighbours must stay writable
}

// TestGuardPage reads past the end of a buffer.
func TestGuardPage(t *testing.T) {
	b, err := NewOwn(alignBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Destroy()
	inner := b.memory.(*region).mapping
	whole := inner.whole
	var read byte
	if !faults(func() { read += whole[len(whole)-1] }) || !faults(func() { read += whole[0] }) {
		t.Errorf("no guard page (%d)", read)
	}
	if &inner.inner[len(inner.inner)-1] != &b.Bytes()[alignBytes-1] {
		t.Error("the buffer does not end where the guard page begins")
	}
}

// TestArenaGrows: many values take few mappings, of which a process has some tens of thousands.
func TestArenaGrows(t *testing.T) {
	var a Arena
	defer a.Destroy()
	value := bytes.Repeat([]byte("x"), 17_500)
	for range 6000 { // 105 MB
		if _, err := a.Copy(value); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.chunks); n > 20 {
		t.Errorf("%d chunks for 105 MB", n)
	}
}

// TestArenaReusesWhatIsReleased overwrites one value again and again.
func TestArenaReusesWhatIsReleased(t *testing.T) {
	var a Arena
	defer a.Destroy()
	var stored []byte
	for i := range 100 {
		a.Release(stored)
		if len(stored) > 0 && stored[0] != 0 {
			t.Fatal("what was released is not wiped")
		}
		var err error
		if stored, err = a.Copy(bytes.Repeat([]byte{byte(i + 1)}, 1<<20-i)); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for _, c := range a.chunks {
		total += c.Len()
	}
	if total > 2<<20 {
		t.Errorf("%d bytes are taken for one value of 1 MiB", total)
	}
}
