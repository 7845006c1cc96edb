package keysource

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io/fs"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/redact"
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
	return generate(func(d *Draft) error {
		return durable.Create(path, d.text.Bytes(), durable.CreateOptions{Mode: generatedMode})
	})
}

// GenerateSuccessor is Generate for the successor of the key file at path, with its owner, mode and
// attributes. path must not be a symbolic link.
func GenerateSuccessor(path string) error {
	return generate(func(d *Draft) error { return d.WriteSuccessor(path) })
}

func generate(write func(*Draft) error) error {
	d, err := Draw()
	if err != nil {
		return err
	}
	defer d.Close()
	return write(d)
}

// Draft is a new random key that is in no file yet, so that what takes time with it can begin before. It is in locked
// memory.
type Draft struct {
	redact.Value
	text *lockedmem.Buffer // as it goes into the file
}

// Draw returns a new key, as Generate makes it.
func Draw() (*Draft, error) {
	random, err := lockedmem.New(generatedBytes)
	if err != nil {
		return nil, err
	}
	defer random.Destroy()
	text, err := lockedmem.New(hex.EncodedLen(generatedBytes) + len("\n"))
	if err != nil {
		return nil, err
	}
	_, _ = rand.Read(random.Bytes()) // never fails: crypto/rand ends the process instead
	hex.Encode(text.Bytes(), random.Bytes())
	text.Bytes()[text.Len()-1] = '\n'
	return &Draft{text: text}, nil
}

// Passphrase implements [Source] with the key that the file will hold.
func (d *Draft) Passphrase(_ context.Context, use func(passphrase []byte) error) error {
	passphrase, err := Passphrase(d.text.Bytes())
	if err != nil {
		return err
	}
	return use(passphrase)
}

// WriteSuccessor writes the key as GenerateSuccessor does.
func (d *Draft) WriteSuccessor(path string) error {
	return durable.Create(path+SuccessorSuffix, d.text.Bytes(), durable.CreateOptions{Like: path})
}

// Close wipes the key. It may be called again.
func (d *Draft) Close() { d.text.Destroy() }
