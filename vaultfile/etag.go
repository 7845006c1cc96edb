package vaultfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// ETag is the SHA-256 of the file at path, as 64 lower-case hexadecimal digits. It is of the file and not of its content, which it
// says nothing about: a vault that is written again with the same secrets has another. Errors are those of opening and reading.
func ETag(path string) (etag string, err error) {
	f, err := openRegular(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	if _, err := io.Copy(hash, io.LimitReader(f, MaxFileBytes)); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// ValidETag tells whether a text has the form of an ETag.
func ValidETag(etag string) bool {
	raw, err := hex.DecodeString(etag)
	return err == nil && len(raw) == sha256.Size && hex.EncodeToString(raw) == etag
}

// hashAside makes the ETag of a file's content while the caller writes it.
func hashAside(file []byte) <-chan string {
	done := make(chan string, 1)
	go func() {
		sum := sha256.Sum256(file)
		done <- hex.EncodeToString(sum[:])
	}()
	return done
}

// match fails unless the vault has the ETag that is wanted, if one is.
func (s *session) match(want string) error {
	if want == "" {
		return nil
	}
	id, err := Identify(s.target)
	is := ""
	if err == nil {
		is, err = ETag(s.target)
	}
	s.matched = id
	if errors.Is(err, ErrNotExist) || err == nil && is != want {
		return fmt.Errorf("%s: %w (its ETag is another one)", s.target, ErrChanged)
	}
	return err
}

// checkMatched fails if the vault that was read is not the one that match has seen.
func (s *session) checkMatched(id Identity) error {
	if s.options.IfMatch == "" || s.matched == id {
		return nil
	}
	return fmt.Errorf("%s: %w", s.target, ErrChanged)
}
