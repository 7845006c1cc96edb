package argon2simd

import (
	"encoding/binary"

	"golang.org/x/crypto/blake2b"

	"github.com/mazevault/vault-tool/internal/erase"
)

// preHash writes H0 (RFC 9106, section 3.2, step 1) and leaves the room behind it alone.
func preHash(h0 *[preHashBytes]byte, in Input, p Params) {
	var head []byte
	for _, n := range []uint32{p.Lanes, p.KeyBytes, p.MemoryKiB, p.Iterations, version, typeID} {
		head = binary.LittleEndian.AppendUint32(head, n)
	}
	parts := [][]byte{head}
	for _, field := range [][]byte{in.Passphrase, in.Salt, in.Secret, in.Data} {
		parts = append(parts, binary.LittleEndian.AppendUint32(nil, uint32(len(field))), field)
	}
	hash(h0[:blake2b.Size], parts...)
}

// longHash is H' (RFC 9106, section 3.3): a hash of len(out) bytes of in.
func longHash(out, in []byte) {
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(out)))
	if len(out) <= blake2b.Size {
		hash(out, size, in)
		return
	}
	const half = blake2b.Size / 2
	var v [blake2b.Size]byte
	hash(v[:], size, in)
	for len(out) > blake2b.Size {
		copy(out, v[:half])
		out = out[half:]
		hash(v[:min(blake2b.Size, len(out))], v[:])
	}
	copy(out, v[:])
	clear(v[:])
}

// hash writes BLAKE2b of the parts to out, as long as that is, and wipes the hash function's state.
func hash(out []byte, parts ...[]byte) {
	h, err := blake2b.New(len(out), nil)
	if err != nil {
		panic(err) // for a length outside of 1 to 64, which no caller asks for
	}
	for _, part := range parts {
		h.Write(part)
	}
	h.Sum(out[:0])
	erase.Object(h)
}
