// Package kdf derives a vault's key from its passphrase: Argon2id (RFC 9106), version 0x13.
//
// [MVT1] holds the parameters of the vault format. [Params.Derive] writes the key straight into memory
// of the caller's, which ought to be locked memory. A [Deriver] does the same with an [Implementation]
// of the caller's choice.
//
// On Linux, processors with AVX-512 or AVX2 derive with code of this project, in memory of its own that is
// overwritten behind every derivation; BenchmarkDerive compares. Everywhere else golang.org/x/crypto/argon2
// derives. Before its first derivation a Deriver computes a known answer, and where that comes out wrong it
// takes x/crypto as well, and says so.
//
// Derivations in one process run one after the other, so that its peak memory is that of one; but see [Deriver.DeriveBoth].
package kdf

import (
	"errors"
	"fmt"
)

// MVT1 returns the parameter set that the MVT1 vault format fixes. Nothing in a vault can change it.
func MVT1() Params {
	return Params{MemoryKiB: mvt1MemoryKiB, Iterations: mvt1Iterations, Lanes: 4, KeyBytes: 32}
}

// Params are the cost parameters of Argon2id, named as RFC 9106, section 3.1, names them.
type Params struct {
	MemoryKiB  uint32 // m: working memory in KiB, at least 8 for each lane
	Iterations uint32 // t: passes over the memory, at least 1
	Lanes      uint8  // p: degree of parallelism, at least 1; part of the result, whatever the machine
	KeyBytes   uint32 // T: length of the derived key in bytes, at least 4
}

// Limits of RFC 9106, section 3.1, and one of ours.
const (
	minKeyBytes         = 4       // T is an integer of at least 4 bytes
	minMemoryKiBPerLane = 8       // m is at least 8*p
	minSaltBytes        = 8       // section 3.1 asks for 8 at least; MVT1 has 16
	maxMemoryKiB        = 4 << 20 // 4 GiB: ours, so that a slip of units fails instead of swapping
)

// ErrParams is what every error about parameters, salt or destination wraps.
var ErrParams = errors.New("kdf: invalid Argon2id parameters")

// Validate returns nil, or an error wrapping [ErrParams] that names the first parameter outside the
// range of RFC 9106. (The implementation below panics on some of them and silently raises others.)
func (p Params) Validate() error {
	switch {
	case p.Iterations < 1:
		return fmt.Errorf("%w: %d iterations, the least is 1", ErrParams, p.Iterations)
	case p.Lanes < 1:
		return fmt.Errorf("%w: %d lanes, the least is 1", ErrParams, p.Lanes)
	case p.MemoryKiB < minMemoryKiBPerLane*uint32(p.Lanes):
		return fmt.Errorf("%w: %d KiB of memory, the least is %d for %d lanes",
			ErrParams, p.MemoryKiB, minMemoryKiBPerLane*uint32(p.Lanes), p.Lanes)
	case p.MemoryKiB > maxMemoryKiB:
		return fmt.Errorf("%w: %d KiB of memory, the most is %d", ErrParams, p.MemoryKiB, maxMemoryKiB)
	case p.KeyBytes < minKeyBytes:
		return fmt.Errorf("%w: a key of %d bytes, the least is %d", ErrParams, p.KeyBytes, minKeyBytes)
	}
	return nil
}

// memoryBytes is the size of the working memory.
func (p Params) memoryBytes() int { return int(p.MemoryKiB) << 10 }
