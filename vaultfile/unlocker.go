package vaultfile

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/redact"
	"github.com/mazevault/vault-tool/kdf"
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
//
// Successor calls use with that passphrase and returns a name for it, for messages. Where it calls nothing
// the name is "", and the error, if there is one, says why what is there was not used.
//
// A source that also has a method Opened() is told by it whenever a passphrase of its has opened a vault.
type SuccessorSource interface {
	PassphraseSource
	Successor(ctx context.Context, use func(passphrase []byte) error) (name string, err error)
}

// SuccessorReport is what an unlocker has done with the successor of a key that did not open a vault.
type SuccessorReport struct {
	Vault  string // its path
	Opened string // the name of the successor that opened the vault, "" where none did
	Err    error  // else why the successor that is there was not used
}

// WithSuccessorReport makes the unlocker tell whenever a successor has opened a vault, or was there and not
// used. The function is called on the goroutine that opens the vault.
func WithSuccessorReport(report func(SuccessorReport)) UnlockerOption {
	return func(u *Unlocker) { u.report = report }
}

// WithDeriver makes the unlocker derive keys with d instead of the fastest implementation.
func WithDeriver(d *kdf.Deriver) UnlockerOption { return func(u *Unlocker) { u.deriver = d } }

// Unlocker opens vaults with the passphrase of a source. It derives a key once per distinct
// (passphrase, salt) and remembers it, so that re-reading a changed vault, or checking many backups of
// one vault, costs one derivation. What it remembers stands in locked memory, each secret as two
// random shares. It is safe for concurrent use: while a key is derived others use those that are there.
type Unlocker struct {
	redact.Value
	source  PassphraseSource
	cache   KeyCache // nil: none
	deriver *kdf.Deriver
	report  func(SuccessorReport) // nil: nobody wants to know

	mu      sync.Mutex
	keys    []*derivedKey // the most recently derived last
	pending []*derivation // what is derived at this moment
	closed  bool
}

// NewUnlocker returns an unlocker that reads its passphrase from source whenever it needs it.
func NewUnlocker(source PassphraseSource, options ...UnlockerOption) *Unlocker {
	u := &Unlocker{source: source, deriver: kdf.Default()}
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
	users      int  // guarded by Unlocker.mu, as what follows; a key in use is not dropped
	cached     bool // the cache has it, or has been given it
	proven     bool // a vault was opened or written with it
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

// derivation is a key that is being derived. Whoever wants the same one waits for it.
type derivation struct {
	salt       [saltBytes]byte
	passphrase *lockedmem.Split
	done       chan struct{} // closed at its end
}

// acquire returns the key for passphrase and salt, deriving it if need be. It waits for another caller's
// derivation of the same key no longer than ctx lives.
func (u *Unlocker) acquire(ctx context.Context, salt [saltBytes]byte, passphrase []byte) (*derivedKey, error) {
	if len(passphrase) == 0 {
		return nil, errors.New("vault: the passphrase is empty")
	}
	for {
		k, other, own, err := u.find(salt, passphrase)
		switch {
		case k != nil || err != nil:
			return k, err
		case own != nil:
			k, err := u.obtain(ctx, salt, passphrase)
			return u.finish(own, k, err)
		}
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// find returns the key, in use, or another caller's derivation of it, or a derivation that the caller is to do.
func (u *Unlocker) find(salt [saltBytes]byte, passphrase []byte) (k *derivedKey, other, own *derivation, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, nil, nil, ErrClosed
	}
	for _, k := range u.keys {
		if k.salt == salt && k.passphrase.Equal(passphrase) {
			k.users++
			return k, nil, nil, nil
		}
	}
	for _, d := range u.pending {
		if d.salt == salt && d.passphrase.Equal(passphrase) {
			return nil, d, nil, nil
		}
	}
	own = &derivation{salt: salt, done: make(chan struct{})}
	if own.passphrase, err = lockedmem.NewSplit(passphrase); err != nil {
		return nil, nil, nil, err
	}
	u.pending = append(u.pending, own)
	return nil, nil, own, nil
}

// finish ends a derivation and remembers its key, in use by the caller.
func (u *Unlocker) finish(own *derivation, k *derivedKey, err error) (*derivedKey, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.pending = slices.DeleteFunc(u.pending, func(d *derivation) bool { return d == own })
	own.passphrase.Destroy()
	close(own.done)
	if err == nil && u.closed {
		k.destroy()
		err = ErrClosed
	}
	if err != nil {
		return nil, err
	}
	u.forgetOldest()
	k.users++
	u.keys = append(u.keys, k)
	return k, nil
}

func (u *Unlocker) derive(ctx context.Context, salt [saltBytes]byte, passphrase []byte) (*derivedKey, error) {
	key, err := lockedmem.New(int(kdfParams.KeyBytes))
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	if err := u.deriver.Derive(ctx, kdfParams, key.Bytes(), passphrase, salt[:]); err != nil {
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

// freshKey derives a key from the source's passphrase and a new random salt.
func (u *Unlocker) freshKey(ctx context.Context) (*derivedKey, error) {
	return u.current(ctx, newSalt())
}

func newSalt() (salt [saltBytes]byte) {
	_, _ = rand.Read(salt[:]) // never fails: crypto/rand ends the process instead
	return salt
}
