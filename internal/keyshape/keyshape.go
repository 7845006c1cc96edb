// Package keyshape tells by its shape that a text is a key, where nothing else is known of it.
package keyshape

import "encoding/hex"

// MaxBytes is more than any key that people make has.
const MaxBytes = 4096

// IsMadeByInit tells whether content is what `vault-tool init` writes: 32 bytes in hexadecimal digits on one line.
func IsMadeByInit(content []byte) bool {
	const keyBytes = 32
	if n := len(content); n > 0 && content[n-1] == '\n' {
		content = content[:n-1]
	}
	if len(content) != hex.EncodedLen(keyBytes) {
		return false
	}
	for _, c := range content {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
