package vaultfile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// sealedFile is a vault file as it was read, not decrypted.
type sealedFile struct {
	id   Identity
	body *lockedmem.Buffer // ciphertext and tag; decrypted in place
}

// readSealed reads the vault file at path. Errors name the path.
func readSealed(path string) (*sealedFile, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	s, err := readSealedFrom(f)
	if closeErr := f.Close(); err == nil && closeErr != nil {
		s.body.Destroy()
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// readSealedFrom reads a vault file. The size is checked before memory is taken.
func readSealedFrom(f *os.File) (*sealedFile, error) {
	id, err := identify(f)
	if err != nil {
		return nil, err
	}
	return readBody(f, id)
}

// readBody reads the rest of the file that has been identified.
func readBody(f *os.File, id Identity) (*sealedFile, error) {
	body, err := lockedmem.NewOwn(int(id.bytes - payloadOffset)) // to be frozen when it is decoded
	if err != nil {
		return nil, err
	}
	if _, err := f.ReadAt(body.Bytes(), payloadOffset); err != nil {
		body.Destroy()
		return nil, cutShort(err)
	}
	return &sealedFile{id: id, body: body}, nil
}

// open decrypts the file where it stands and returns the payload, whose memory is the file's: s can be
// opened once. The error is ErrDecryption, and the memory is given back then.
func (s *sealedFile) open(k *derivedKey) (*lockedmem.Buffer, error) {
	body := s.body
	s.body = nil
	var failed error
	err := k.withAEAD(func(aead cipher.AEAD) {
		_, failed = aead.Open(body.Bytes()[:0], s.id.nonce[:], body.Bytes(), nil)
	})
	if err == nil && failed != nil {
		err = ErrDecryption
	}
	if err != nil {
		body.Destroy()
		return nil, err
	}
	body.Truncate(body.Len() - tagBytes)
	return body, nil
}

// seal encrypts payload under k with a fresh nonce and returns the bytes of the whole file.
func seal(k *derivedKey, payload []byte) ([]byte, error) {
	size := minFileBytes + len(payload)
	if size > MaxFileBytes {
		return nil, fmt.Errorf("%w: the vault would have %d bytes, the most is %d", ErrTooLarge, size, MaxFileBytes)
	}
	file := make([]byte, size)
	copy(file, magic)
	copy(file[saltOffset:], k.salt[:])
	nonce := file[nonceOffset:payloadOffset]
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	err := k.withAEAD(func(aead cipher.AEAD) {
		aead.Seal(file[:payloadOffset], nonce, payload, nil)
	})
	return file, err
}

// verifySealed returns a check that a file decrypts under k to payload.
func verifySealed(k *derivedKey, payload []byte) func(*os.File) error {
	return func(f *os.File) error {
		s, err := readSealedFrom(f)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrVerify, err)
		}
		got, err := s.open(k)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrVerify, err)
		}
		defer got.Destroy()
		if !bytes.Equal(got.Bytes(), payload) {
			return ErrVerify
		}
		return nil
	}
}

// checkIs returns a check that a file is the one with the given identity, or else gives an ErrChanged: a
// program that takes no lock, cp say, has put another in its place.
func checkIs(want Identity) func(*os.File) error {
	return func(f *os.File) error {
		got, err := identify(f)
		if errors.Is(err, ErrTooSmall) || errors.Is(err, ErrFileTooLarge) || errors.Is(err, ErrNotVault) || err == nil && got != want {
			return ErrChanged
		}
		return err
	}
}

// withAEAD calls f with AES-256-GCM under the key, and overwrites the key schedule afterwards.
func (k *derivedKey) withAEAD(f func(cipher.AEAD)) error {
	return k.key.Use(func(key []byte) error {
		var err error
		erase.Do(func() {
			var block cipher.Block
			if block, err = aes.NewCipher(key); err != nil {
				return
			}
			defer erase.Object(block)
			var aead cipher.AEAD
			if aead, err = cipher.NewGCM(block); err != nil {
				return
			}
			defer erase.Object(aead)
			f(aead)
		})
		return err
	})
}

// openRegular opens a regular file for reading. A missing one gives ErrNotExist, a pipe, device or
// directory an error, without waiting for a writer.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, notExistError{path}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	if err != nil {
		_ = f.Close() // opened for reading only, and the first error counts
		return nil, err
	}
	return f, nil
}
