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

// TestArenaReusesWhatIsReleased changes one value again and again, to other lengths too.
func TestArenaReusesWhatIsReleased(t *testing.T) {
	for name, size := range map[string]func(i int) int{
		"the same, large":   func(int) int { return 4 * largeBytes },
		"growing, large":    func(i int) int { return 2*largeBytes + i },
		"growing":           func(i int) int { return 1 + i*500 },
		"shrinking":         func(i int) int { return 500_000 - i*1000 },
		"up and down":       func(i int) int { return 1 + (i%2)*700_000 + i%7 },
		"of all magnitudes": func(i int) int { return 1 << (i % 20) },
	} {
		t.Run(name, func(t *testing.T) {
			var a Arena
			defer a.Destroy()
			var stored []byte
			for i := range 500 {
				released := stored
				a.Release(stored)
				if len(released) > 0 && len(released) < largeBytes && released[0] != 0 {
					t.Fatal("what was released is not wiped")
				}
				var err error
				if stored, err = a.Copy(bytes.Repeat([]byte{byte(i) | 1}, size(i))); err != nil {
					t.Fatal(err)
				}
			}
			if total := a.bytesTaken(); total > 8<<20 {
				t.Errorf("%d bytes are taken for one value of 1 MiB at most", total)
			}
		})
	}
}

func (a *Arena) bytesTaken() int {
	total := 0
	for _, c := range a.chunks {
		total += c.Len()
	}
	for _, b := range a.large {
		total += b.Len()
	}
	return total
}

// TestPieceBytes: a piece is never too small, and loses an eighth at most.
func TestPieceBytes(t *testing.T) {
	for size := 1; size < 1<<17; size++ {
		got := pieceBytes(size)
		if got < size || got-size > size/stepsPerDoubling || pieceBytes(got) != got {
			t.Fatalf("%d for a size of %d", got, size)
		}
	}
}
