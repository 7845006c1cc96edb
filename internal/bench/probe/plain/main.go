// Command plain derives one MVT1 key with golang.org/x/crypto/argon2 as it comes: what a program
// without package kdf would take.
package main

import (
	"golang.org/x/crypto/argon2"

	"github.com/mazevault/vault-tool/kdf"
)

func main() {
	p := kdf.MVT1()
	argon2.IDKey([]byte("correct horse battery staple"), []byte("0123456789abcdef"), p.Iterations, p.MemoryKiB, p.Lanes, p.KeyBytes)
}
