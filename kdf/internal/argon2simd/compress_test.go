package argon2simd

import (
	"math/rand/v2"
	"testing"
)

// plainG is G as RFC 9106, sections 3.5 and 3.6, writes it.
func plainG(out, previous, reference *block) {
	var r, z [blockWords]uint64
	for w := range z {
		r[w] = previous[position(w)] ^ reference[position(w)]
	}
	z = r
	for row := range 8 {
		var v [16]*uint64
		for i := range v {
			v[i] = &z[row*16+i]
		}
		plainP(v)
	}
	for column := range 8 {
		var v [16]*uint64
		for i := range v {
			v[i] = &z[i/2*16+column*2+i%2]
		}
		plainP(v)
	}
	for w := range z {
		out[position(w)] = r[w] ^ z[w]
	}
}

// plainP is P of section 3.6.
func plainP(v [16]*uint64) {
	for i := range 4 {
		plainGB(v[i], v[4+i], v[8+i], v[12+i])
	}
	for i := range 4 {
		plainGB(v[i], v[4+(i+1)%4], v[8+(i+2)%4], v[12+(i+3)%4])
	}
}

// plainGB is GB of section 3.6.
func plainGB(a, b, c, d *uint64) {
	half := func(a, b, d *uint64, n int) {
		*a += *b + 2*(*a&0xFFFFFFFF)*(*b&0xFFFFFFFF)
		*d ^= *a
		*d = *d>>n | *d<<(64-n)
	}
	half(a, b, d, 32)
	half(c, d, b, 24)
	half(a, b, d, 16)
	half(c, d, b, 63)
}

// eachSet runs test with every instruction set of this processor.
func eachSet(t *testing.T, test func(t *testing.T, set Set)) {
	if len(Sets()) == 0 {
		t.Skip("this processor or system has no instruction set of ours")
	}
	for _, set := range Sets() {
		t.Run(string(set), func(t *testing.T) { test(t, set) })
	}
}

func randomBlock(r *rand.Rand) (b block) {
	for i := range b {
		b[i] = r.Uint64()
	}
	return b
}

// TestCompress compares the compression functions with the RFC's, also where an argument is the result.
func TestCompress(t *testing.T) {
	eachSet(t, func(t *testing.T, set Set) {
		c := compressors()[set]
		r := rand.New(rand.NewPCG(3, 4))
		for range 200 {
			previous, reference, old := randomBlock(r), randomBlock(r), randomBlock(r)
			var want, scratch block
			plainG(&want, &previous, &reference)
			wantXOR := old
			for i := range wantXOR {
				wantXOR[i] ^= want[i]
			}

			got, gotXOR := old, old
			c.compress(&got, &previous, &reference, &previous, &scratch)
			c.compressXOR(&gotXOR, &previous, &reference, &previous, &scratch)
			if got != want || gotXOR != wantXOR {
				t.Fatalf("differs from RFC 9106: %v, xor %v", got == want, gotXOR == wantXOR)
			}

			asPrevious, asReference := previous, reference
			c.compress(&asPrevious, &asPrevious, &reference, &reference, &scratch)
			c.compress(&asReference, &previous, &asReference, &previous, &scratch)
			if asPrevious != want || asReference != want {
				t.Fatalf("differs in place: as previous %v, as reference %v", asPrevious == want, asReference == want)
			}

			var same block
			plainG(&want, &previous, &previous)
			c.compress(&same, &previous, &previous, &previous, &scratch)
			if same != want {
				t.Fatal("differs where both arguments are one block")
			}
		}
	})
}

func TestWipeBlocks(t *testing.T) {
	eachSet(t, func(t *testing.T, set Set) {
		m, err := mapMemory(5 * blockBytes) // the blocks are aligned as those of a derivation
		if err != nil {
			t.Fatal(err)
		}
		defer m.unmap()
		blocks := m.blocks()
		full := randomBlock(rand.New(rand.NewPCG(5, 6)))
		for _, count := range []int{0, 1, 3} {
			for i := range blocks {
				blocks[i] = full
			}
			compressors()[set].wipe(&blocks[1], count)
			for i, b := range blocks {
				want := full
				if i >= 1 && i < 1+count {
					want = block{}
				}
				if b != want {
					t.Errorf("wiping %d blocks from the second on: block %d is not what it should be", count, i)
				}
			}
		}
	})
}

func BenchmarkCompress(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	previous, reference := randomBlock(r), randomBlock(r)
	var out, scratch block
	for _, set := range Sets() {
		c := compressors()[set]
		b.Run(string(set), func(b *testing.B) {
			for b.Loop() {
				c.compress(&out, &previous, &reference, &reference, &scratch)
			}
		})
		b.Run(string(set)+"-xor", func(b *testing.B) {
			for b.Loop() {
				c.compressXOR(&out, &previous, &reference, &reference, &scratch)
			}
		})
	}
}
