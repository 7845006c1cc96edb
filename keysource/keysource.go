// Package keysource says where a vault's passphrase comes from.
//
// [File] reads it from a key file. A source for an external store is a package below this one, so that
// a program links the SDK of a store only if it imports that package.
//
// Every source follows the same reading rule, [Passphrase]: the bytes as they are, less one trailing
// newline. A passphrase never comes from an argument or an environment variable.
package keysource

import (
	"bytes"
	"context"
	"errors"
)

// Source supplies a passphrase. It satisfies vaultfile.PassphraseSource.
type Source interface {
	// Passphrase reads the passphrase afresh and calls use with it, in locked memory that is wiped when
	// use returns. use must not keep the bytes. The error is use's, or says why there is no passphrase.
	Passphrase(ctx context.Context, use func(passphrase []byte) error) error

	// String names the source for messages: a path, a URL; never a secret.
	String() string
}

// Errors to branch on with errors.Is; what is returned names the file.
var (
	// ErrStat: the key file is missing or cannot be read. It wraps the system's error, so that
	// fs.ErrNotExist can be told from the rest.
	ErrStat = errors.New("vault: cannot stat key file")

	// ErrPermissive: group or others may read or write the key file.
	ErrPermissive = errors.New("vault key file has overly permissive permissions")

	// ErrEmpty: the source has an empty passphrase.
	ErrEmpty = errors.New("vault key is empty")

	// ErrTooLarge: what is there is too long to be a passphrase.
	ErrTooLarge = errors.New("vault key is too large")
)

const (
	// ShortBytes is the length below which a passphrase deserves a warning: 16 random bytes are the
	// least that cannot be guessed whatever the key derivation.
	ShortBytes = 16

	// MaxBytes is the longest passphrase that is read.
	MaxBytes = 1 << 20
)

// Passphrase applies the reading rule to what a source holds: the bytes as they are, less one trailing
// "\n" or "\r\n". The result is a part of raw. Nothing left is an [ErrEmpty].
func Passphrase(raw []byte) ([]byte, error) {
	passphrase := raw
	if trimmed, ok := bytes.CutSuffix(raw, []byte("\n")); ok {
		passphrase = bytes.TrimSuffix(trimmed, []byte("\r"))
	}
	if len(passphrase) == 0 {
		return nil, ErrEmpty
	}
	return passphrase, nil
}
