package kdf

import (
	"golang.org/x/crypto/argon2"

	"github.com/mazevault/vault-tool/internal/erase"
)

// deriveGeneric derives with x/crypto, which has as many threads as there are lanes.
func deriveGeneric(dst, passphrase, salt []byte, p Params, _ int) error {
	if err := memoryAllows(p.memoryBytes()); err != nil {
		return err
	}
	if err := heapAllows(p.memoryBytes()); err != nil {
		return err
	}
	prefault(p.memoryBytes())
	erase.Do(func() {
		key := argon2.IDKey(passphrase, salt, p.Iterations, p.MemoryKiB, p.Lanes, p.KeyBytes)
		copy(dst, key)
		clear(key)
	})
	// Erases the pre-hash and the last blocks, and frees the working memory for the next derivation:
	// without it that one doubles the process's peak memory.
	erase.Flush()
	return nil
}
