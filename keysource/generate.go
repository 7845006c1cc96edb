package keysource

import (
	"crypto/rand"
	"encoding/hex"
	"io/fs"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

const (
	// generatedBytes is how many random bytes a generated key has: as many as the AES-256 key.
	generatedBytes = 32

	// generatedMode lets only the owner read a key, and nobody write it.
	generatedMode fs.FileMode = 0o400
)

// Generate writes a new random key to path: 32 bytes from the system's generator as 64 lower-case
// hexadecimal digits and a newline, mode 0400. It never overwrites (fs.ErrExist), and the key is
// durable when it returns.
func Generate(path string) error {
	return generate(path, durable.CreateOptions{Mode: generatedMode})
}

// GenerateSuccessor is Generate for the successor of the key file at path, with its owner, mode and
// attributes. path must not be a symbolic link.
func GenerateSuccessor(path string) error {
	return generate(path+SuccessorSuffix, durable.CreateOptions{Like: path})
}

func generate(path string, o durable.CreateOptions) error {
	random, err := lockedmem.New(generatedBytes)
	if err != nil {
		return err
	}
	defer random.Destroy()
	text, err := lockedmem.New(hex.EncodedLen(generatedBytes) + len("\n"))
	if err != nil {
		return err
	}
	defer text.Destroy()
	_, _ = rand.Read(random.Bytes()) // never fails: crypto/rand ends the process instead
	hex.Encode(text.Bytes(), random.Bytes())
	text.Bytes()[text.Len()-1] = '\n'
	return durable.Create(path, text.Bytes(), o)
}
