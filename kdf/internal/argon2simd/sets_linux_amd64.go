package argon2simd

import "golang.org/x/sys/cpu"

// Sets returns the instruction sets that this processor and system have, the fastest first.
func Sets() []Set {
	var sets []Set
	if cpu.X86.HasAVX512F {
		sets = append(sets, AVX512)
	}
	if cpu.X86.HasAVX2 {
		sets = append(sets, AVX2)
	}
	return sets
}

// compressors are the compression functions of the processor's sets.
func compressors() map[Set]compressor {
	all := map[Set]compressor{
		AVX512: {compressAVX512, compressXORAVX512, clearRegistersAVX512, wipeBlocksAVX2},
		AVX2:   {compressAVX2, compressXORAVX2, clearRegistersAVX2, wipeBlocksAVX2},
	}
	has := make(map[Set]compressor)
	for _, set := range Sets() {
		has[set] = all[set]
	}
	return has
}

//go:noescape
func compressAVX512(out, previous, reference, ahead, scratch *block)

//go:noescape
func compressXORAVX512(out, previous, reference, ahead, scratch *block)

func clearRegistersAVX512()

//go:noescape
func compressAVX2(out, previous, reference, ahead, scratch *block)

//go:noescape
func compressXORAVX2(out, previous, reference, ahead, scratch *block)

func clearRegistersAVX2()

//go:noescape
func wipeBlocksAVX2(first *block, count int)
