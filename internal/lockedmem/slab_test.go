package lockedmem

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestSmallBuffersKeepApart takes and gives back small buffers in random order, under an allocator of
// its own, and looks at each for bytes of another.
func TestSmallBuffersKeepApart(t *testing.T) {
	var a allocator
	random := rand.New(rand.NewPCG(1, 2))
	type entry struct {
		buffer *Buffer
		fill   byte
	}
	var live []entry
	most := 0
	for i := range 20_000 {
		if n := len(live); n > 0 && (n > 100 || random.IntN(2) == 0) {
			k := random.IntN(n)
			e := live[k]
			if want := bytes.Repeat([]byte{e.fill}, e.buffer.Len()); !bytes.Equal(e.buffer.Bytes(), want) {
				t.Fatalf("step %d: a buffer of %d bytes was changed", i, e.buffer.Len())
			}
			e.buffer.Destroy()
			live[k] = live[n-1]
			live = live[:n-1]
			continue
		}
		b, err := a.allocate(1 + random.IntN(maxSmallBytes))
		if err != nil {
			t.Fatal(err)
		}
		if cap(b.Bytes()) != b.Len() {
			t.Fatal("an append would reach the neighbour")
		}
		if !bytes.Equal(b.Bytes(), make([]byte, b.Len())) {
			t.Fatalf("step %d: a new buffer holds what an old one left", i)
		}
		fill := byte(1 + i%255)
		copy(b.Bytes(), bytes.Repeat([]byte{fill}, b.Len()))
		live = append(live, entry{b, fill})
		most = max(most, len(a.slabs))
	}
	if most < 2 {
		t.Fatal("never more than one slab, so this test shows little")
	}
	for _, e := range live {
		e.buffer.Destroy()
	}
	if len(a.slabs) != 1 {
		t.Errorf("%d slabs are left of %d, want 1", len(a.slabs), most)
	}
	if kept := a.slabs[0]; !bytes.Equal(kept.region.bytes, make([]byte, slabBytes)) || kept.left != cellsPerSlab {
		t.Errorf("the last slab is not clean: %d of %d cells free", kept.left, cellsPerSlab)
	}
}

func TestDestroyWipesSmallBuffers(t *testing.T) {
	b, err := New(40)
	if err != nil {
		t.Fatal(err)
	}
	memory := b.Bytes()
	copy(memory, "forty bytes of something that is secret.")
	b.Truncate(20)
	b.Destroy()
	b.Destroy()
	if !bytes.Equal(memory, make([]byte, 40)) {
		t.Errorf("left %q", memory)
	}
}

// TestDestroyedTwiceAtOnce: of several that destroy a small buffer the later ones leave its successor alone.
func TestDestroyedTwiceAtOnce(t *testing.T) {
	var a allocator
	b, err := a.allocate(40)
	if err != nil {
		t.Fatal(err)
	}
	memory := b.memory // as another goroutine has read it
	b.Destroy()
	next, err := a.allocate(40)
	if err != nil {
		t.Fatal(err)
	}
	copy(next.Bytes(), "somebody else's")
	memory.release()
	if !bytes.HasPrefix(next.Bytes(), []byte("somebody else's")) || a.slabs[0].left != cellsPerSlab-2 {
		t.Errorf("the successor holds %q, %d cells are free", next.Bytes(), a.slabs[0].left)
	}
}

// TestLargeBuffersStandAlone: what is no key or passphrase keeps guard pages of its own.
func TestLargeBuffersStandAlone(t *testing.T) {
	var a allocator
	for size, want := range map[int]bool{maxSmallBytes: false, maxSmallBytes + 1: true} {
		b, err := a.allocate(size)
		if err != nil {
			t.Fatal(err)
		}
		if _, alone := b.memory.(*region); alone != want {
			t.Errorf("%d bytes: alone %v, want %v", size, alone, want)
		}
		b.Destroy()
	}
}

func BenchmarkNew(b *testing.B) {
	for name, size := range map[string]int{"small": 32, "large": maxSmallBytes + 1} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				buffer, err := New(size)
				if err != nil {
					b.Fatal(err)
				}
				buffer.Destroy()
			}
		})
	}
}
