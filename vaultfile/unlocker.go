package vaultfile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

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

// candidate yields a key to try for a salt, or nil where it has none (any more).
type candidate func(ctx context.Context, salt [saltBytes]byte) (*derivedKey, error)

// remembered is the candidate that needs neither a derivation nor a look at the source. A key that has opened
// nothing is none: it may be a wrong one, and would hide the right one.
func (u *Unlocker) remembered(_ context.Context, salt [saltBytes]byte) (*derivedKey, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := len(u.keys) - 1; i >= 0; i-- {
		if u.keys[i].salt == salt && u.keys[i].proven {
			u.keys[i].users++
			return u.keys[i], nil
		}
	}
	return nil, nil
}

// current is the candidate of the source's passphrase.
func (u *Unlocker) current(ctx context.Context, salt [saltBytes]byte) (k *derivedKey, err error) {
	err = u.source.Passphrase(ctx, func(passphrase []byte) (err error) {
		k, err = u.acquire(ctx, salt, passphrase)
		return err
	})
	return k, err
}

// successor is the candidate of a rotation under way. Its name goes to *name.
func (u *Unlocker) successor(name *string) candidate {
	return func(ctx context.Context, salt [saltBytes]byte) (k *derivedKey, err error) {
		source, ok := u.source.(SuccessorSource)
		if !ok {
			return nil, nil
		}
		*name, err = source.Successor(ctx, func(passphrase []byte) (err error) {
			k, err = u.acquire(ctx, salt, passphrase)
			return err
		})
		if err != nil && ctx.Err() == nil {
			err = &successorError{err}
		}
		return k, err
	}
}

// successorError marks that the successor, of all that decrypt reads, could not be used.
type successorError struct{ cause error }

func (e *successorError) Error() string {
	return fmt.Sprintf("the successor of the key is not used: %v", e.cause)
}

func (e *successorError) Unwrap() error { return e.cause }

// decryptionError is an ErrDecryption that also matches why a successor was not used, for callers that take no
// SuccessorReport.
type decryptionError struct {
	path   string
	unused *successorError // nil: there was none
}

func (e *decryptionError) Error() string { return fmt.Sprintf("%s: %v", e.path, ErrDecryption) }

func (e *decryptionError) Unwrap() []error {
	if e.unused == nil {
		return []error{ErrDecryption}
	}
	return []error{ErrDecryption, e.unused}
}

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
	var successorName string
	candidates := []candidate{first, u.current, u.successor(&successorName)}
	seen := make(map[sight]bool)
	var unused *successorError
	var torn error
	for range maxRounds {
		news := false
		for i, next := range candidates {
			if next == nil {
				continue
			}
			payload, k, s, err := u.try(ctx, path, i, next, seen)
			switch {
			case err == nil && payload != nil:
				u.prove(k)
				if i == len(candidates)-1 {
					u.tell(SuccessorReport{Vault: path, Opened: successorName})
				}
				return payload, s.vault, k, nil
			case err == nil || errors.Is(err, ErrDecryption):
			case errors.As(err, &unused): // it is a help only: without it the key is just wrong
			case errors.Is(err, ErrChanged):
				torn, news = err, true
				continue
			default:
				return nil, Identity{}, nil, err
			}
			if torn = nil; i > 0 && !seen[s] { // what is remembered says nothing about the files
				seen[s], news = true, true
			}
		}
		if !news {
			break
		}
		if torn != nil {
			if err := pause(ctx); err != nil {
				return nil, Identity{}, nil, err
			}
		}
	}
	if torn != nil {
		return nil, Identity{}, nil, torn
	}
	if unused != nil {
		u.tell(SuccessorReport{Vault: path, Err: unused.cause})
	}
	return nil, Identity{}, nil, &decryptionError{path, unused}
}

func (u *Unlocker) tell(r SuccessorReport) {
	if u.report != nil {
		u.report(r)
	}
}

// prove notes that a key has opened a vault, tells the source, and gives the key to the cache.
func (u *Unlocker) prove(k *derivedKey) {
	if source, ok := u.source.(interface{ Opened() }); ok {
		source.Opened()
	}
	u.mu.Lock()
	k.proven = true
	u.mu.Unlock()
	u.store(k)
}

// tornPause is how long decrypt waits for somebody who is writing over the vault, a restore with cp say, before it
// reads again.
const tornPause = 20 * time.Millisecond

func pause(ctx context.Context) error {
	select {
	case <-time.After(tornPause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sight is what a candidate was seen to yield for the vault that stood there.
type sight struct {
	candidate int
	vault     Identity
	key       *derivedKey // nil where the candidate had none
}

// try reads the vault and decrypts it with the key of a candidate, the i-th. Where the candidate has none, or
// this was seen before, it returns no payload and no error, and the file is not read for it.
func (u *Unlocker) try(ctx context.Context, path string, i int, next candidate, seen map[sight]bool) (*lockedmem.Buffer, *derivedKey, sight, error) {
	if ctx.Err() != nil {
		return nil, nil, sight{}, ctx.Err()
	}
	id, err := Identify(path)
	if err != nil {
		return nil, nil, sight{}, err
	}
	k, err := next(ctx, id.salt)
	if err == nil && ctx.Err() != nil {
		err = ctx.Err() // a derivation takes a while and does not look
	}
	s := sight{candidate: i, vault: id, key: k}
	if err != nil || k == nil || seen[s] {
		u.release(k)
		return nil, nil, s, err
	}
	payload, s, err := u.openWith(path, k, s)
	if err != nil {
		u.release(k)
		return nil, nil, s, err
	}
	return payload, k, s, nil
}

// openWith reads the vault and decrypts it. What it read goes into the sight. A vault that was replaced since
// the key was chosen is ErrChanged where its salt is another.
func (u *Unlocker) openWith(path string, k *derivedKey, s sight) (*lockedmem.Buffer, sight, error) {
	sealed, err := readSealed(path)
	if err != nil {
		return nil, s, err
	}
	s.vault = sealed.id
	if sealed.id.salt != k.salt {
		sealed.body.Destroy()
		return nil, s, fmt.Errorf("%s: %w", path, ErrChanged)
	}
	payload, err := sealed.open(k)
	return payload, s, err
}
