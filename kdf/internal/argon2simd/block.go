package argon2simd

import "encoding/binary"

// block is one block of the memory, its words in the order of [position].
type block [blockWords]uint64

// position is where word w of RFC 9106's block lies in a block here. The RFC sees a block as eight rows
// of sixteen words (section 3.5). Here two rows that lie above one another make four registers of eight
// words, each of four words of the upper row and the four words below them:
//
//	row 2i:    w0  w1  w2  w3  | w4  w5  w6  w7  | w8  ...
//	row 2i+1:  w16 w17 w18 w19 | w20 w21 w22 w23 | w24 ...
//	registers: [w0-w3 w16-w19]   [w4-w7 w20-w23]   [w8-w11 w24-w27]   [w12-w15 w28-w31]
func position(w int) int {
	row, column := w/16, w%16
	return (row/2*4+column/4)*8 + row%2*4 + column%4
}

// setBytes takes the words of the RFC's order.
func (b *block) setBytes(bytes *[blockBytes]byte) {
	for w := range blockWords {
		b[position(w)] = binary.LittleEndian.Uint64(bytes[w*8:])
	}
}

// putBytes gives the words in the RFC's order.
func (b *block) putBytes(bytes *[blockBytes]byte) {
	for w := range blockWords {
		binary.LittleEndian.PutUint64(bytes[w*8:], b[position(w)])
	}
}

// zeroBlock is the second input for a block of addresses. Nothing writes to it.
var zeroBlock block

// compressor is the compression function in one instruction set.
//
// compress is G of RFC 9106, section 3.5: *out = G(*previous, *reference). compressXOR is *out ^= that,
// for the second pass and later ones. Both ask for the block ahead to be brought near meanwhile, which
// changes nothing. out may be previous or reference. scratch is a block of the caller's.
//
// clearRegisters overwrites what the two leave in the registers of the thread. wipe overwrites blocks past
// the caches, so that clearing 64 MiB does not first read them.
type compressor struct {
	compress, compressXOR func(out, previous, reference, ahead, scratch *block)
	clearRegisters        func()
	wipe                  func(first *block, count int)
}
