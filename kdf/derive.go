package kdf

import (
	"fmt"
	"sync"

	"golang.org/x/crypto/argon2"

	"github.com/mazevault/vault-tool/internal/erase"
)

// oneAtATime keeps derivations from running side by side: each needs its own working memory, and two
// at once take as long as two in turn on a machine with fewer cores than 2*Lanes.
var oneAtATime sync.Mutex

// Derive computes Argon2id over passphrase and salt and writes the key to dst.
//
// dst has exactly p.KeyBytes bytes and should be locked memory; salt has at least 8 bytes; the
// passphrase may have any length. Errors wrap [ErrParams], and dst is untouched then. A derivation
// cannot be interrupted; with MVT1 it takes about a tenth of a second.
func (p Params) Derive(dst, passphrase, salt []byte) error {
	return p.deriveWith(dst, salt, func() []byte {
		return argon2.IDKey(passphrase, salt, p.Iterations, p.MemoryKiB, p.Lanes, p.KeyBytes)
	})
}

// deriveWith prepares the memory, calls hash for the key, and cleans up. The tests pass a hash that
// also takes the secret and the associated data of RFC 9106's test vector, which x/crypto does not
// export.
func (p Params) deriveWith(dst, salt []byte, hash func() []byte) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if len(salt) < minSaltBytes {
		return fmt.Errorf("%w: a salt of %d bytes, the least is %d", ErrParams, len(salt), minSaltBytes)
	}
	if len(dst) != int(p.KeyBytes) {
		return fmt.Errorf("%w: room for %d bytes of a key of %d", ErrParams, len(dst), p.KeyBytes)
	}

	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	prefault(int(p.MemoryKiB) << 10)
	erase.Do(func() {
		key := hash()
		copy(dst, key)
		clear(key)
	})
	// Erases the pre-hash and the last blocks, and frees the working memory for the next derivation:
	// without it that one doubles the process's peak memory.
	erase.Flush()
	return nil
}
