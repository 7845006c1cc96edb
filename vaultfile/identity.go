package vaultfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// Identity tells the content of one vault file from that of another: two files of equal identity hold
// the same secrets under the same key, for every writing draws a fresh nonce. It is comparable, and
// holds nothing that the file does not show to everybody who may read it.
type Identity struct {
	bytes int64
	salt  [saltBytes]byte
	nonce [nonceBytes]byte
	tag   [tagBytes]byte
}

// SameSalt tells whether the key of both vaults was derived with the same salt: a vault keeps its salt
// until its key is rotated.
func (id Identity) SameSalt(other Identity) bool { return id.salt == other.salt }

// Identify returns the identity of the vault file at path. It reads a few bytes and needs no key, so it
// is the cheap way to ask whether a vault has changed. Errors are those of [Open], [ErrDecryption] and
// [ErrPayload] excepted.
func Identify(path string) (id Identity, err error) {
	f, err := openRegular(path)
	if err != nil {
		return Identity{}, err
	}
	id, err = identify(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return Identity{}, fmt.Errorf("%s: %w", path, err)
	}
	return id, nil
}

// LooksLikeVault tells whether content begins as a vault file does.
func LooksLikeVault(content []byte) bool { return bytes.HasPrefix(content, []byte(magic)) }

// identify reads the header and the tag, and checks the size and the magic.
func identify(f *os.File) (Identity, error) {
	info, err := f.Stat()
	if err != nil {
		return Identity{}, err
	}
	id := Identity{bytes: info.Size()}
	if id.bytes < minFileBytes {
		return Identity{}, fmt.Errorf("%w (%d bytes, the least is %d)", ErrTooSmall, id.bytes, minFileBytes)
	}
	if id.bytes > MaxFileBytes {
		return Identity{}, fmt.Errorf("%w: %d bytes, the most is %d", ErrFileTooLarge, id.bytes, MaxFileBytes)
	}
	var header [payloadOffset]byte
	if _, err := f.ReadAt(header[:], 0); err != nil {
		return Identity{}, cutShort(err)
	}
	if string(header[:magicBytes]) != magic {
		return Identity{}, ErrNotVault
	}
	id.salt = [saltBytes]byte(header[saltOffset:nonceOffset])
	id.nonce = [nonceBytes]byte(header[nonceOffset:payloadOffset])
	_, err = f.ReadAt(id.tag[:], id.bytes-tagBytes)
	return id, cutShort(err)
}

// cutShort is ErrChanged for a file that has become shorter than it was a moment ago: a program that writes over
// it, cp say, has begun.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w (it became shorter while it was read)", ErrChanged)
	}
	return err
}

// SaltFingerprint is the beginning of the salt's SHA-256, 16 hexadecimal digits: vaults for which it is the same have the same salt.
func (id Identity) SaltFingerprint() string {
	const shown = 8
	sum := sha256.Sum256(id.salt[:])
	return hex.EncodeToString(sum[:shown])
}
