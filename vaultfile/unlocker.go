package vaultfile

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/redact"
)

// PassphraseSource supplies the passphrase of a vault; the sources of package keysource do. It reads
// the passphrase afresh on every call, hands it to use, and wipes it when use returns. An error of use
// is passed on.
type PassphraseSource interface {
	Passphrase(ctx context.Context, use func(passphrase []byte) error) error
}

// SuccessorSource is a source that knows of a rotation under way: between the re-encryption of a vault
// and the renaming of its key, the passphrase that opens the vault is the successor's. found is false
// where there is none.
type SuccessorSource interface {
	PassphraseSource
	Successor(ctx context.Context, use func(passphrase []byte) error) (found bool, err error)
}

// Unlocker opens vaults with the passphrase of a source. It derives a key once per distinct
// (passphrase, salt) and remembers it, so that re-reading a changed vault, or checking many backups of
// one vault, costs one derivation. What it remembers stands in locked memory, each secret as two
// random shares. It is safe for concurrent use.
type Unlocker struct {
	redact.Value
	source PassphraseSource
	cache  KeyCache // nil: none

	mu     sync.Mutex
	keys   []*derivedKey // the most recently derived last
	closed bool
}

// NewUnlocker returns an unlocker that reads its passphrase from source whenever it needs it.
func NewUnlocker(source PassphraseSource, options ...UnlockerOption) *Unlocker {
	u := &Unlocker{source: source}
	for _, option := range options {
		option(u)
	}
	return u
}

// Close wipes the remembered keys. It may be called again; operations under way must have ended.
func (u *Unlocker) Close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, k := range u.keys {
		k.destroy()
	}
	u.keys, u.closed = nil, true
}

// maxRememberedKeys bounds what an unlocker remembers. A vault keeps its salt until its key is
// rotated, so two are the usual case.
const maxRememberedKeys = 64

// derivedKey is the AES-256 key for one passphrase and salt.
type derivedKey struct {
	salt       [saltBytes]byte
	passphrase *lockedmem.Split
	key        *lockedmem.Split
	users      int  // guarded by Unlocker.mu; a key in use is not dropped
	cached     bool // guarded by Unlocker.mu; the cache has it, or has been given it
}

func (k *derivedKey) destroy() {
	k.passphrase.Destroy()
	k.key.Destroy()
}

// release ends the use of a key that acquire, remembered or decrypt returned.
func (u *Unlocker) release(k *derivedKey) {
	if k == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	k.users--
}

// acquire returns the key for passphrase and salt, deriving it if need be.
func (u *Unlocker) acquire(salt [saltBytes]byte, passphrase []byte) (*derivedKey, error) {
	if len(passphrase) == 0 {
		return nil, errors.New("vault: the passphrase is empty")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, ErrClosed
	}
	for _, k := range u.keys {
		if k.salt == salt && k.passphrase.Equal(passphrase) {
			k.users++
			return k, nil
		}
	}
	k, err := u.obtain(salt, passphrase)
	if err != nil {
		return nil, err
	}
	u.forgetOldest()
	k.users++
	u.keys = append(u.keys, k)
	return k, nil
}

func derive(salt [saltBytes]byte, passphrase []byte) (*derivedKey, error) {
	key, err := lockedmem.New(int(kdfParams.KeyBytes))
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	if err := kdfParams.Derive(key.Bytes(), passphrase, salt[:]); err != nil {
		return nil, err
	}
	return newDerivedKey(salt, passphrase, key.Bytes())
}

// newDerivedKey takes copies of passphrase and key, as shares.
func newDerivedKey(salt [saltBytes]byte, passphrase, key []byte) (*derivedKey, error) {
	k := &derivedKey{salt: salt}
	var err error
	if k.passphrase, err = lockedmem.NewSplit(passphrase); err != nil {
		return nil, err
	}
	if k.key, err = lockedmem.NewSplit(key); err != nil {
		k.destroy()
		return nil, err
	}
	return k, nil
}

// forgetOldest makes room for one more key, if all places are taken.
func (u *Unlocker) forgetOldest() {
	if len(u.keys) < maxRememberedKeys {
		return
	}
	for i, k := range u.keys {
		if k.users == 0 {
			k.destroy()
			u.keys = append(u.keys[:i], u.keys[i+1:]...)
			return
		}
	}
}

// candidate yields a key to try for a salt, or nil where it has none (any more).
type candidate func(ctx context.Context, salt [saltBytes]byte) (*derivedKey, error)

// remembered is the candidate that needs neither a derivation nor a look at the source.
func (u *Unlocker) remembered(_ context.Context, salt [saltBytes]byte) (*derivedKey, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := len(u.keys) - 1; i >= 0; i-- {
		if u.keys[i].salt == salt {
			u.keys[i].users++
			return u.keys[i], nil
		}
	}
	return nil, nil
}

// current is the candidate of the source's passphrase.
func (u *Unlocker) current(ctx context.Context, salt [saltBytes]byte) (k *derivedKey, err error) {
	err = u.source.Passphrase(ctx, func(passphrase []byte) (err error) {
		k, err = u.acquire(salt, passphrase)
		return err
	})
	return k, err
}

// successor is the candidate of a rotation under way.
func (u *Unlocker) successor(ctx context.Context, salt [saltBytes]byte) (k *derivedKey, err error) {
	source, ok := u.source.(SuccessorSource)
	if !ok {
		return nil, nil
	}
	_, err = source.Successor(ctx, func(passphrase []byte) (err error) {
		k, err = u.acquire(salt, passphrase)
		return err
	})
	if err != nil && ctx.Err() == nil {
		err = &successorError{err}
	}
	return k, err
}

// successorError marks that the successor, of all that decrypt reads, could not be read.
type successorError struct{ cause error }

func (e *successorError) Error() string {
	return fmt.Sprintf("the successor of the key cannot be read: %v", e.cause)
}

func (e *successorError) Unwrap() error { return e.cause }

// maxRounds bounds how often decrypt starts over while vault and key keep changing under it.
const maxRounds = 20

// decrypt reads and decrypts the vault at path and returns its payload, which file it was, and the key
// that opened it, which the caller releases.
//
// A rotation can replace the vault and the key file between the reading of one and of the other. So
// everything is read again after a failure, and the failure is final only when a whole round shows
// nothing that an earlier one did not. Then vault, key and successor were the same from that earlier
// look to this one, so that all three stood together when the round began, and were tried together.
// Such a last round costs no derivation.
func (u *Unlocker) decrypt(ctx context.Context, path string) (*lockedmem.Buffer, Identity, *derivedKey, error) {
	if !u.remembers() {
		return u.decryptAfter(ctx, path, nil)
	}
	return u.decryptAfter(ctx, path, u.remembered)
}

// remembers tells whether there is any key that remembered could yield.
func (u *Unlocker) remembers() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.keys) > 0
}

// decryptAfter is decrypt that tries the key of first, unless that is nil, before those of the source.
func (u *Unlocker) decryptAfter(ctx context.Context, path string, first candidate) (*lockedmem.Buffer, Identity, *derivedKey, error) {
	seen := make(map[sight]bool)
	var noSuccessor *successorError
	for range maxRounds {
		news := false
		for i, next := range []candidate{first, u.current, u.successor} {
			if next == nil {
				continue
			}
			payload, k, s, err := u.try(ctx, path, next)
			switch {
			case err == nil && payload != nil:
				u.store(k)
				return payload, s.vault, k, nil
			case err == nil || errors.Is(err, ErrDecryption):
			case errors.As(err, &noSuccessor): // it is a help only: without it the key is just wrong
			default:
				return nil, Identity{}, nil, err
			}
			if s.candidate = i; i > 0 && !seen[s] { // what is remembered says nothing about the files
				seen[s], news = true, true
			}
		}
		if !news {
			break
		}
	}
	err := fmt.Errorf("%s: %w", path, ErrDecryption)
	if noSuccessor != nil {
		err = fmt.Errorf("%w (and %w)", err, noSuccessor)
	}
	return nil, Identity{}, nil, err
}

// sight is what a candidate was seen to yield for the vault that stood there.
type sight struct {
	candidate int
	vault     Identity
	key       *derivedKey // nil where the candidate had none
}

// try reads the vault and decrypts it with the candidate's key. Where the candidate has none it returns
// no payload and no error.
func (u *Unlocker) try(ctx context.Context, path string, next candidate) (*lockedmem.Buffer, *derivedKey, sight, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, sight{}, err
	}
	sealed, err := readSealed(path)
	if err != nil {
		return nil, nil, sight{}, err
	}
	k, err := next(ctx, sealed.id.salt)
	if err == nil {
		err = ctx.Err() // a derivation takes a while and does not look
	}
	s := sight{vault: sealed.id, key: k}
	if err != nil || k == nil {
		sealed.body.Destroy()
		u.release(k)
		return nil, nil, s, err
	}
	payload, err := sealed.open(k)
	if err != nil {
		u.release(k)
		return nil, nil, s, err
	}
	return payload, k, s, nil
}
