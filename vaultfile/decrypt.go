package vaultfile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

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
	if payload, id, k := u.openRemembered(ctx, path); payload != nil {
		return payload, id, k, nil
	}
	return u.decryptAfter(ctx, path, u.remembered)
}

// openRemembered opens the vault with a key that opened one of its salt before, if there is such a key. It opens the file once, where
// decryptAfter does so for each candidate and again to read it: of a year of backups most of the time goes there. It returns nil for
// whatever is not as it should be, which is for decryptAfter to find out.
func (u *Unlocker) openRemembered(ctx context.Context, path string) (*lockedmem.Buffer, Identity, *derivedKey) {
	f, err := openRegular(path)
	if err != nil {
		return nil, Identity{}, nil
	}
	defer f.Close() // read-only: nothing to report
	id, err := identify(f)
	if err != nil {
		return nil, Identity{}, nil
	}
	k, _ := u.remembered(ctx, id.salt) // it has no error
	if k == nil {
		return nil, Identity{}, nil
	}
	sealed, err := readBody(f, id)
	if err == nil {
		var payload *lockedmem.Buffer
		if payload, err = sealed.open(k); err == nil && ctx.Err() == nil {
			u.prove(k)
			return payload, id, k
		}
		payload.Destroy()
	}
	u.release(k)
	return nil, Identity{}, nil
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
