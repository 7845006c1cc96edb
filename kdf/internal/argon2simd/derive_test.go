package argon2simd

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"
)

var randomSets = flag.Int("argon2.sets", 300, "how many random parameter sets are compared with x/crypto for each instruction set")

var mvt1 = Params{MemoryKiB: 64 * 1024, Iterations: 3, Lanes: 4, KeyBytes: 32}

func derive(t testing.TB, set Set, threads int, in Input, p Params) []byte {
	t.Helper()
	key := make([]byte, p.KeyBytes)
	if err := Derive(set, threads, key, in, p); err != nil {
		t.Fatal(err)
	}
	return key
}

func oracle(in Input, p Params) []byte {
	return argon2.IDKey(in.Passphrase, in.Salt, p.Iterations, p.MemoryKiB, uint8(p.Lanes), p.KeyBytes)
}

// TestRFC9106Vector is the vector of RFC 9106, section 5.3, with its secret and associated data.
func TestRFC9106Vector(t *testing.T) {
	in := Input{
		Passphrase: bytes.Repeat([]byte{1}, 32), Salt: bytes.Repeat([]byte{2}, 16),
		Secret: bytes.Repeat([]byte{3}, 8), Data: bytes.Repeat([]byte{4}, 12),
	}
	const want = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
	eachSet(t, func(t *testing.T, set Set) {
		got := derive(t, set, 2, in, Params{MemoryKiB: 32, Iterations: 3, Lanes: 4, KeyBytes: 32})
		if hex.EncodeToString(got) != want {
			t.Errorf("got %x, want %s", got, want)
		}
	})
}

func randomInput(r *rand.Rand) Input {
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	return Input{Passphrase: random(r.IntN(200)), Salt: random(8 + r.IntN(40))}
}

// TestAgainstXCrypto compares random parameter sets, MVT1's among them, and numbers of threads.
func TestAgainstXCrypto(t *testing.T) {
	eachSet(t, func(t *testing.T, set Set) {
		t.Parallel()
		r := rand.New(rand.NewPCG(1, 2))
		for i := range *randomSets {
			p := Params{Iterations: 1 + r.Uint32N(4), Lanes: 1 + r.Uint32N(8), KeyBytes: 4 + r.Uint32N(140)}
			p.MemoryKiB = 8*p.Lanes + r.Uint32N(3000)
			if i%100 == 0 {
				p = mvt1
			}
			in, threads := randomInput(r), 1+r.IntN(8)
			if got, want := derive(t, set, threads, in, p), oracle(in, p); !bytes.Equal(got, want) {
				t.Fatalf("set %d, %+v on %d threads: got %x, want %x", i, p, threads, got, want)
			}
		}
	})
}

// TestProcessors derives with the number of processors that a process may have, several at once.
func TestProcessors(t *testing.T) {
	p := Params{MemoryKiB: 4096, Iterations: 2, Lanes: 4, KeyBytes: 32}
	in := Input{Passphrase: []byte("passphrase"), Salt: []byte("0123456789abcdef")}
	want := oracle(in, p)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	eachSet(t, func(t *testing.T, set Set) {
		for _, processors := range []int{1, 2, 3, 4, 8} {
			runtime.GOMAXPROCS(processors)
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() {
					key := make([]byte, p.KeyBytes)
					if err := Derive(set, Threads(int(p.Lanes)), key, in, p); err != nil || !bytes.Equal(key, want) {
						t.Errorf("with %d processors: got %x (%v), want %x", processors, key, err, want)
					}
				})
			}
			all.Wait()
		}
	})
}

func TestUnsupportedSet(t *testing.T) {
	key := []byte{1, 2, 3, 4}
	err := Derive("sse2", 1, key, Input{Salt: make([]byte, 16)}, Params{MemoryKiB: 8, Iterations: 1, Lanes: 1, KeyBytes: 4})
	if !errors.Is(err, ErrUnsupported) || !bytes.Equal(key, []byte{1, 2, 3, 4}) {
		t.Errorf("error %v, key %x", err, key)
	}
}

// FuzzDerive compares any parameters within bounds that keep it fast with x/crypto.
func FuzzDerive(f *testing.F) {
	f.Add([]byte("passphrase"), []byte("0123456789abcdef"), uint32(64), uint32(1), uint32(1), uint32(32), 1)
	f.Add([]byte{}, []byte("01234567"), uint32(100), uint32(3), uint32(4), uint32(65), 3)
	f.Fuzz(func(t *testing.T, passphrase, salt []byte, memoryKiB, iterations, lanes, keyBytes uint32, threads int) {
		p := Params{Iterations: 1 + iterations%3, Lanes: 1 + lanes%8, KeyBytes: 4 + keyBytes%200}
		p.MemoryKiB = 8*p.Lanes + memoryKiB%512
		if len(salt) < 8 {
			return
		}
		in := Input{Passphrase: passphrase, Salt: salt}
		for _, set := range Sets() {
			if got, want := derive(t, set, threads, in, p), oracle(in, p); !bytes.Equal(got, want) {
				t.Errorf("%s, %+v on %d threads: got %x, want %x", set, p, threads, got, want)
			}
		}
	})
}

func BenchmarkDerive(b *testing.B) {
	in := Input{Passphrase: []byte("passphrase"), Salt: []byte("0123456789abcdef")}
	key := make([]byte, mvt1.KeyBytes)
	for _, set := range Sets() {
		for _, threads := range []int{1, 2} {
			b.Run(string(set)+"/threads-"+string(rune('0'+threads)), func(b *testing.B) {
				for b.Loop() {
					if err := Derive(set, threads, key, in, mvt1); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("x-crypto", func(b *testing.B) {
		for b.Loop() {
			oracle(in, mvt1)
		}
	})
}
