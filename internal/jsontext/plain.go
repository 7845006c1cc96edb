package jsontext

import (
	"encoding/binary"
	"math/bits"
)

// Eight copies of one byte, for looking at eight bytes of a string at once.
const (
	eachByte      = 0x0101010101010101
	eachHighBit   = 0x80 * eachByte
	eachSpace     = ' ' * eachByte
	eachQuote     = '"' * eachByte
	eachReverse   = '\\' * eachByte
	wordBytes     = 8
	bitsPerByte   = 8
	firstNonASCII = 0x80
)

// PlainPrefix returns how many bytes at the start of s are printable ASCII that stands for itself in a
// JSON string: all of it but the quote and the backslash.
//
// It finds the first other byte of a word by subtraction: x-' ' borrows into the high bit of a byte
// below ' ', and so does (x^c)-1 for a byte equal to c. A borrow can flag bytes above the one it comes
// from by mistake, never below, so the lowest flag is right.
func PlainPrefix(s []byte) int {
	n := 0
	for ; len(s)-n >= wordBytes; n += wordBytes {
		x := binary.LittleEndian.Uint64(s[n:])
		special := (x | (x - eachSpace) | ((x ^ eachQuote) - eachByte) | ((x ^ eachReverse) - eachByte)) & eachHighBit
		if special != 0 {
			return n + bits.TrailingZeros64(special)/bitsPerByte
		}
	}
	for n < len(s) && s[n] >= ' ' && s[n] < firstNonASCII && s[n] != '"' && s[n] != '\\' {
		n++
	}
	return n
}
