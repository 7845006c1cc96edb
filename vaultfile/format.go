package vaultfile

import "github.com/mazevault/vault-tool/kdf"

// The MVT1 layout, as docs/format.md specifies it. Nothing else in the package writes these numbers.
//
//	offset  size  field
//	     0     4  magic
//	     4    16  salt        random, input to Argon2id
//	    20    12  nonce       random, AES-GCM
//	    32     n  ciphertext  AES-256-GCM of the payload
//	  32+n    16  tag         GCM tag
const (
	magic      = "MVT1"
	magicBytes = 4
	saltBytes  = 16
	nonceBytes = 12 // NIST SP 800-38D, section 5.2.1.1: the recommended length
	tagBytes   = 16

	saltOffset    = magicBytes
	nonceOffset   = saltOffset + saltBytes
	payloadOffset = nonceOffset + nonceBytes

	// minFileBytes is a vault with an empty payload. (Not a valid vault: the payload is at least "{}".)
	minFileBytes = payloadOffset + tagBytes
)

// Limits. The format has none of its own but those that follow from GCM (2^36 bytes) and from names.
const (
	// MaxFileBytes is the largest vault that is read or written. It is checked before anything is
	// allocated, and keeps offsets within 32 bits.
	MaxFileBytes = 1 << 30

	// MaxValueBytes is the longest value, in bytes of UTF-8.
	MaxValueBytes = 64 << 20

	// MaxNameBytes is the longest name.
	MaxNameBytes = 255
)

// kdfParams is what MVT1 derives its AES-256 key with.
var kdfParams = kdf.MVT1()
