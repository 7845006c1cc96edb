// Package argon2core lets kdf's tests run RFC 9106's test vectors, which have a secret and associated
// data, through the code that derives keys: x/crypto's exported functions take neither. Nothing but
// tests may import it.
package argon2core

import (
	_ "unsafe" // for go:linkname

	_ "golang.org/x/crypto/argon2" // defines deriveKey
)

// ModeID selects Argon2id (RFC 9106, section 3.1: y = 2).
const ModeID = 2

// DeriveKey is x/crypto's unexported argon2.deriveKey: secret is RFC 9106's K, data its X, memory in
// KiB, keyLen in bytes.
//
//go:linkname DeriveKey golang.org/x/crypto/argon2.deriveKey
func DeriveKey(mode int, password, salt, secret, data []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
