package main

import (
	"bytes"
	"encoding/binary"
	"testing"
	_ "unsafe" // for go:linkname

	"golang.org/x/crypto/argon2"

	"github.com/mazevault/vault-tool/kdf"
)

// The steps of x/crypto's Argon2id, for the intermediate values that lead to the key and that it might
// leave behind. TestIntermediatesLeadToTheKey finds out if they change.

const argon2idMode = 2 // RFC 9106, section 3.1: y

type argon2Block [128]uint64

//go:linkname argon2InitHash golang.org/x/crypto/argon2.initHash
func argon2InitHash(password, salt, key, data []byte, time, memory, threads, keyLen uint32, mode int) [72]byte

//go:linkname argon2InitBlocks golang.org/x/crypto/argon2.initBlocks
func argon2InitBlocks(h0 *[72]byte, memory, threads uint32) []argon2Block

//go:linkname argon2ProcessBlocks golang.org/x/crypto/argon2.processBlocks
func argon2ProcessBlocks(blocks []argon2Block, time, memory, threads uint32, mode int)

//go:linkname argon2ExtractKey golang.org/x/crypto/argon2.extractKey
func argon2ExtractKey(blocks []argon2Block, memory, threads, keyLen uint32) []byte

// derivation is a key and what it was made of.
type derivation struct {
	preHash   []byte // RFC 9106, section 3.2: H_0, 64 bytes
	lastBlock []byte // section 3.2, step 7: C, 1024 bytes; its hash is the key
	key       []byte
}

func deriveStepwise(passphrase, salt []byte) derivation {
	p := kdf.MVT1()
	lanes := uint32(p.Lanes)
	h0 := argon2InitHash(passphrase, salt, nil, nil, p.Iterations, p.MemoryKiB, lanes, p.KeyBytes, argon2idMode)
	d := derivation{preHash: bytes.Clone(h0[:64])} // 8 bytes of counters follow
	blocks := argon2InitBlocks(&h0, p.MemoryKiB, lanes)
	argon2ProcessBlocks(blocks, p.Iterations, p.MemoryKiB, lanes, argon2idMode)
	d.key = argon2ExtractKey(blocks, p.MemoryKiB, lanes, p.KeyBytes)
	d.lastBlock = blocks[len(blocks)-1].bytes() // the exclusive-or of all ends was put here
	return d
}

func (b *argon2Block) bytes() []byte {
	var out []byte
	for _, word := range b {
		out = binary.LittleEndian.AppendUint64(out, word)
	}
	return out
}

func TestIntermediatesLeadToTheKey(t *testing.T) {
	passphrase, salt := []byte("correct horse battery staple"), []byte("0123456789abcdef")
	p := kdf.MVT1()
	want := argon2.IDKey(passphrase, salt, p.Iterations, p.MemoryKiB, p.Lanes, p.KeyBytes)
	if got := deriveStepwise(passphrase, salt).key; !bytes.Equal(got, want) {
		t.Fatalf("the steps give %x, IDKey %x", got, want)
	}
}
