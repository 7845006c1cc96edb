package vaultfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// session is one writer's hold of a vault.
type session struct {
	options WriteOptions
	matched Identity // the vault that has the ETag which options want
	target  string   // behind symbolic links; read and written, so that a link that moves meanwhile mixes no two vaults
	u       *Unlocker
	lock    *durable.FileLock
	fresh   *derivedKey // for a vault that did not exist before the lock was taken, else nil
	ahead   *opened     // the vault as it was read before the lock was taken, else nil
}

// opened is a vault that was read and decrypted, with the key that did it.
type opened struct {
	payload *lockedmem.Buffer
	id      Identity
	key     *derivedKey
}

// discard wipes the payload. It may be called on nil.
func (o *opened) discard(u *Unlocker) {
	if o != nil {
		o.payload.Destroy()
		u.release(o.key)
	}
}

// begin derives the key and takes the lock, in this order: the derivation takes ten times as long as
// the rest, a passphrase may have to come from far away, and a wrong key should disturb nobody. mayCreate lets the
// vault be missing.
func begin(ctx context.Context, path string, u *Unlocker, o WriteOptions, mayCreate bool) (*session, error) {
	target, err := durable.Resolve(path)
	if err != nil {
		return nil, err
	}
	var fresh *derivedKey
	ahead, err := u.openAhead(ctx, path)
	if mayCreate && errors.Is(err, ErrNotExist) {
		fresh, err = u.freshKey(ctx)
	}
	if err != nil && !(mayCreate && canReplace(err)) {
		return nil, err
	}
	s, err := hold(ctx, target, u, o)
	if err != nil {
		u.release(fresh)
		ahead.discard(u)
		return nil, err
	}
	s.fresh, s.ahead = fresh, ahead
	return s, nil
}

// openVault opens the vault under the lock: as it was read before, unless another one stands there now. Whoever
// replaces a vault draws a fresh nonce, so that its identity tells.
func (s *session) openVault(ctx context.Context) (*Vault, *derivedKey, error) {
	ahead := s.ahead
	s.ahead = nil
	if ahead == nil {
		return s.u.openVault(ctx, s.target)
	}
	if id, err := Identify(s.target); err != nil || id != ahead.id {
		ahead.discard(s.u)
		return s.u.openVault(ctx, s.target)
	}
	v, err := newVaultOf(s.target, ahead.payload, ahead.id, true)
	if err != nil {
		s.u.release(ahead.key)
		return nil, nil, err
	}
	return v, ahead.key, nil
}

// hold takes the lock of the vault at target.
func hold(ctx context.Context, target string, u *Unlocker, o WriteOptions) (*session, error) {
	// A rewrite sweeps by itself, but where a killed run has done the work there is none. Before the lock, because a
	// left-over of the making of the lock file may be a second name of it, and locked with it.
	_ = durable.Sweep(target) // what it cannot remove does not stand in the way
	timeout := o.LockTimeout
	if timeout == 0 {
		timeout = DefaultLockTimeout
	}
	lock, err := durable.Lock(ctx, target, timeout)
	if err != nil {
		return nil, err
	}
	s := &session{options: o, target: target, u: u, lock: lock}
	if err := s.match(o.IfMatch); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// canReplace tells whether err, of opening a vault, leaves Create and Update with CreateMissing
// something to do: there is no vault, or none that this key opens. A file that never was a vault is
// left alone: a slip of the path must not turn it into one.
func canReplace(err error) bool {
	for _, target := range []error{ErrNotExist, ErrDecryption, ErrTooSmall} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// openAhead derives the key for the vault at path, by opening it, for the unlocker to remember, and returns what it read.
func (u *Unlocker) openAhead(ctx context.Context, path string) (*opened, error) {
	payload, id, k, err := u.decrypt(ctx, path)
	if err != nil {
		return nil, err
	}
	return &opened{payload, id, k}, nil
}

// warmUp is openAhead for the sake of the key.
func (u *Unlocker) warmUp(ctx context.Context, path string) error {
	o, err := u.openAhead(ctx, path)
	o.discard(u)
	return err
}

// end gives up the lock. A failure is no error of the operation, which is done: an error would say that the
// old vault stands. The lock ends with the process, if not before.
func (s *session) end() {
	s.u.release(s.fresh)
	s.ahead.discard(s.u)
	_ = s.lock.Unlock()
}

// freshKey is the unlocker's, derived before the lock was taken where that was possible. The caller releases it.
func (s *session) freshKey(ctx context.Context) (*derivedKey, error) {
	if k := s.fresh; k != nil {
		s.fresh = nil
		return k, nil
	}
	return s.u.freshKey(ctx)
}

func existsError(path string) error { return fmt.Errorf("%s: %w", path, ErrExists) }

func fileExists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (s *session) update(ctx context.Context, createMissing bool, change func(*Draft) error) (Written, error) {
	base, k, err := s.openVault(ctx)
	if errors.Is(err, ErrNotExist) && createMissing {
		return s.writeNew(ctx, change)
	}
	if err != nil {
		return Written{}, err
	}
	defer s.u.release(k)
	defer base.Close()
	draft := newDraft(base)
	defer draft.close()
	if err := change(draft); err != nil {
		return Written{}, err
	}
	return s.replaceIfChanged(ctx, draft, k)
}

// replaceIfChanged writes the draft over the vault that it is built upon, if it changes anything.
func (s *session) replaceIfChanged(ctx context.Context, draft *Draft, k *derivedKey) (Written, error) {
	id := draft.base.id
	if err := s.checkMatched(id); err != nil {
		return Written{}, err
	}
	report, err := draft.recordHistory(s.options)
	if err != nil {
		return Written{}, err
	}
	if !draft.changed() {
		return s.unchanged()
	}
	w := Written{Outcome: Updated, History: report}
	w.ETag, err = s.replace(ctx, draft, k, checkIs(id))
	return w, err
}

// replace writes the draft over the vault, if check, given the file that goes, finds no fault. It closes the draft's base as soon as it is encoded: a
// large vault should stand in memory no more often than it must. It returns the ETag of what it wrote.
func (s *session) replace(ctx context.Context, draft *Draft, k *derivedKey, check func(*os.File) error) (etag string, err error) {
	payload, file, err := sealDraft(draft, k)
	if err != nil {
		return "", err
	}
	defer payload.Destroy()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	hashed := hashAside(file)
	err = durable.Replace(s.target, file, durable.ReplaceOptions{Verify: verifySealed(k, payload.Bytes()), Check: check, Swept: true})
	return <-hashed, err
}

// writeNew creates the vault with what fill puts into it, under a fresh salt. The key comes first, so
// that a large draft goes where the derivation has left memory; the other way round the two add up.
func (s *session) writeNew(ctx context.Context, fill func(*Draft) error) (Written, error) {
	k, err := s.freshKey(ctx)
	if err != nil {
		return Written{}, err
	}
	defer s.u.release(k)
	draft := newDraft(nil)
	defer draft.close()
	if err := fill(draft); err != nil {
		return Written{}, err
	}
	report, err := draft.recordHistory(s.options)
	if err != nil {
		return Written{}, err
	}
	payload, file, err := sealDraft(draft, k)
	if err != nil {
		return Written{}, err
	}
	defer payload.Destroy()
	if err := ctx.Err(); err != nil {
		return Written{}, err
	}
	hashed := hashAside(file)
	err = durable.Create(s.target, file, durable.CreateOptions{Mode: newVaultMode, Verify: verifySealed(k, payload.Bytes())})
	w := Written{Outcome: Created, ETag: <-hashed, History: report}
	if err != nil {
		return Written{}, err
	}
	return w, nil
}

// replaceAll replaces an existing file, be it a vault of this key, another vault or none.
func (s *session) replaceAll(ctx context.Context, draft *Draft) (Written, error) {
	_ = durable.Sweep(s.target + BackupSuffix) // as in hold
	check, err := checkUntouched(s.target)     // before it is read and copied
	if err != nil {
		return Written{}, err
	}
	old, k, err := s.openVault(ctx)
	switch {
	case err == nil:
		defer s.u.release(k)
		defer old.Close()
		return s.replaceContent(ctx, draft, old, k)
	case !canReplace(err) && !errors.Is(err, ErrPayload):
		return Written{}, err
	}
	if k, err = s.freshKey(ctx); err != nil {
		return Written{}, err
	}
	defer s.u.release(k)
	report, err := draft.recordHistory(s.options)
	if err != nil {
		return Written{}, err
	}
	kept, err := s.keep(BackupSuffix)
	if err != nil {
		return Written{}, err
	}
	etag, err := s.replace(ctx, draft, k, check)
	if err != nil {
		return Written{}, err
	}
	return Written{Outcome: Replaced, Backup: kept, Unread: true, ETag: etag, History: report}, nil
}

// replaceContent gives the vault the secrets of another draft, and keeps what belongs to the tool.
func (s *session) replaceContent(ctx context.Context, content *Draft, old *Vault, k *derivedKey) (Written, error) {
	draft := newDraft(old)
	defer draft.close()
	if err := draft.setAll(content); err != nil {
		return Written{}, err
	}
	if !draft.changed() {
		return s.unchanged()
	}
	kept, err := s.keep(BackupSuffix)
	if err != nil {
		return Written{}, err
	}
	w, err := s.replaceIfChanged(ctx, draft, k)
	if err != nil {
		return Written{}, err
	}
	w.Outcome, w.Backup = Replaced, kept
	return w, nil
}

// keep copies the vault aside and returns the path of the copy.
func (s *session) keep(suffix string) (string, error) {
	if err := durable.CheckReplaceable(s.target); err != nil {
		return "", err
	}
	return durable.Keep(s.target, suffix, 0)
}

// checkUntouched returns a check that the file which goes is the one that is at path now, and that nobody has written to
// it. It serves for what no key opens: checkIs knows no more of a vault, and nothing of what is none.
func checkUntouched(path string) (func(*os.File) error, error) {
	was, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	id, notVault := Identify(path)
	return func(f *os.File) error {
		is, err := f.Stat()
		switch {
		case err != nil:
			return err
		case !os.SameFile(was, is) || was.Size() != is.Size() || !was.ModTime().Equal(is.ModTime()):
			return ErrChanged
		case notVault != nil:
			return nil
		}
		return checkIs(id)(f) // two writings may come within one tick of the file system's clock
	}, nil
}

// sealDraft encodes and encrypts the draft, and closes its base.
func sealDraft(draft *Draft, k *derivedKey) (payload *lockedmem.Buffer, file []byte, err error) {
	if payload, err = draft.encode(); err != nil {
		return nil, nil, err
	}
	draft.base.Close()
	if file, err = seal(k, payload.Bytes()); err != nil {
		payload.Destroy()
		return nil, nil, err
	}
	return payload, file, nil
}
