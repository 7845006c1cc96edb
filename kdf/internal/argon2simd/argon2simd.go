// Package argon2simd computes Argon2id (RFC 9106, version 0x13) with AVX2 or AVX-512, in memory of its own.
//
// Use: ask [Sets] for what this processor has, and give one of the sets to [Derive]. Where Sets is
// empty (other processors, other systems than Linux) golang.org/x/crypto/argon2 is the derivation.
//
// What makes it fast, in the order of what it gains:
//
//   - The memory is mapped by itself, with huge pages, and each page is faulted in by the thread that
//     fills it, right before it does. On the Go heap every page is cleared first and, where pages are
//     small, faults twice.
//   - A thread has several lanes and fills a block of each in turn. Which block the next one refers to is
//     known only when the block before it is done. While the thread fills a block of one lane, the
//     reference block of the other lane is on its way from memory.
//   - A block of 1 KiB lies in memory in the order of the vector registers, so that both halves of the
//     compression function work on the same registers and nothing is transposed.
//
// Guarantees. The result is that of RFC 9106 bit by bit. The memory is left out of core dumps. When
// Derive returns, memory, pre-hash, last block, scratch blocks and vector registers are overwritten and
// the memory is unmapped.
//
// Non-guarantees. The memory is not locked: it may reach the swap space while a derivation runs, as that of
// every implementation of Argon2 may. Timing depends on the passphrase from the third slice on, which
// is what Argon2id is (RFC 9106, section 3.4.1.3); no implementation can change that.
package argon2simd

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/crypto/blake2b"
)

// Set is an instruction set that there is a compression function for.
type Set string

// The instruction sets.
const (
	AVX512 Set = "avx512" // AVX-512F
	AVX2   Set = "avx2"
)

// Params are the cost parameters, named as RFC 9106, section 3.1, names them.
type Params struct {
	MemoryKiB  uint32 // m, at least 8*Lanes
	Iterations uint32 // t, at least 1
	Lanes      uint32 // p, at least 1
	KeyBytes   uint32 // T, at least 4
}

// Input is what a key is derived from (RFC 9106, section 3.1). Secret and Data are for the RFC's own test
// vector; MVT1 has neither.
type Input struct {
	Passphrase []byte // P
	Salt       []byte // S
	Secret     []byte // K
	Data       []byte // X
}

// The numbers of RFC 9106, section 3.
const (
	version    = 0x13 // section 3.1: v
	typeID     = 2    // section 3.1: y, Argon2id
	syncPoints = 4    // section 3.4: SL, slices of a lane
	blockBytes = 1024 // section 3.2
	blockWords = blockBytes / 8
)

// ErrUnsupported is the error for a set that this processor or system does not have.
var ErrUnsupported = errors.New("argon2simd: the processor does not have the instruction set")

// ErrMemory is the error where the system does not give the memory.
var ErrMemory = errors.New("argon2simd: no memory")

// Derive writes the key to dst, which has p.KeyBytes bytes and overlaps nothing of the input. It uses
// the given number of threads, at least one and no more than there are lanes. The caller has checked
// the parameters against RFC 9106. Errors are [ErrUnsupported] and [ErrMemory]; dst is untouched then.
func Derive(set Set, threads int, dst []byte, in Input, p Params) error {
	compress, ok := compressors()[set]
	if !ok {
		return fmt.Errorf("%w: %q", ErrUnsupported, set)
	}
	laneBlocks := p.MemoryKiB / (syncPoints * p.Lanes) * syncPoints // section 3.2, step 2: q
	m, err := mapMemory(int(laneBlocks*p.Lanes) * blockBytes)
	if err != nil {
		return fmt.Errorf("%w: %d KiB: %w", ErrMemory, p.MemoryKiB, err)
	}
	defer m.unmap()

	f := &fill{
		compressor:    compress,
		blocks:        m.blocks(),
		p:             p,
		laneBlocks:    laneBlocks,
		segmentBlocks: laneBlocks / syncPoints,
		threads:       max(1, min(threads, int(p.Lanes))),
	}
	var h0 [preHashBytes]byte
	preHash(&h0, in, p)
	f.run(&h0)
	f.extract(dst)
	f.wipe()
	clear(h0[:])
	return nil
}

// Threads is how many threads a derivation with that many lanes gains from in this process.
func Threads(lanes int) int { return min(lanes, runtime.GOMAXPROCS(0)) }

// preHashBytes is H0 with the two numbers behind it that make the first blocks of a lane of it.
const preHashBytes = blake2b.Size + 8
