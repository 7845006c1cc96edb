package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	// needleBytes is the length of the pieces of a secret that are searched for. A copy of any 23 bytes
	// in a row holds a whole piece, and no piece of a random secret occurs by chance.
	needleBytes = 12

	// maxNeedlesPerSecret bounds the pieces of a long secret, which lie further apart then.
	maxNeedlesPerSecret = 16

	filterBits = 18 // of the hash of a needle's first four bytes

	scanPageBytes = 4096
)

// needles are pieces of secrets, and what each belongs to.
type needles struct {
	labels map[[needleBytes]byte]string
	filter [1 << filterBits / 64]uint64 // which hashes of first bytes occur
}

func newNeedles() *needles { return &needles{labels: make(map[[needleBytes]byte]string)} }

// add searches for pieces of secret from now on: its first and its last bytes and what lies between.
func (n *needles) add(label string, secret []byte) {
	if len(secret) < needleBytes {
		panic(fmt.Sprintf("the secret %s is too short to be searched for", label))
	}
	step := max(needleBytes, len(secret)/maxNeedlesPerSecret)
	last := len(secret) - needleBytes
	for at := 0; at < last; at += step {
		n.addPiece(label, [needleBytes]byte(secret[at:]))
	}
	n.addPiece(label, [needleBytes]byte(secret[last:]))
}

func (n *needles) addPiece(label string, piece [needleBytes]byte) {
	n.labels[piece] = label
	h := filterHash(piece[:])
	n.filter[h/64] |= 1 << (h % 64)
}

func filterHash(b []byte) uint32 {
	const knuth = 2654435761 // 2^32 / golden ratio
	return binary.LittleEndian.Uint32(b) * knuth >> (32 - filterBits)
}

// search calls found for every needle that begins in the first limit bytes of memory.
func (n *needles) search(memory []byte, limit int, found func(at int, label string)) {
	var zeros [scanPageBytes]byte
	limit = min(limit, len(memory)-needleBytes+1)
	for page := 0; page < limit; page += scanPageBytes {
		end := min(page+scanPageBytes, limit)
		if bytes.Equal(memory[page:end], zeros[:end-page]) {
			continue
		}
		for at := page; at < end; at++ {
			h := filterHash(memory[at:])
			if n.filter[h/64]&(1<<(h%64)) == 0 {
				continue
			}
			if label, ok := n.labels[[needleBytes]byte(memory[at:])]; ok {
				found(at, label)
			}
		}
	}
}
