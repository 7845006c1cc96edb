package vaultfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// whole is a vault as it stands in its file, and what that decrypts to.
type whole struct {
	file    []byte
	payload *lockedmem.Buffer // not decoded, with what belongs to the tool in it
	id      Identity
	key     *derivedKey // to be released
	secrets int
}

func (w *whole) close(u *Unlocker) {
	w.payload.Destroy()
	u.release(w.key)
}

// readWhole reads the vault at path, decrypts it, and makes sure that it is well formed.
func (u *Unlocker) readWhole(ctx context.Context, path string) (*whole, error) {
	for range maxRounds {
		w, err := u.tryWhole(ctx, path)
		if !errors.Is(err, ErrChanged) {
			return w, err
		}
		if err := pause(ctx); err != nil { // somebody is replacing it
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: %w", path, ErrChanged)
}

func (u *Unlocker) tryWhole(ctx context.Context, path string) (_ *whole, err error) {
	w := &whole{}
	if w.payload, w.id, w.key, err = u.decrypt(ctx, path); err != nil {
		return nil, err
	}
	if w.file, err = readVaultFile(path, w.id); err == nil {
		w.secrets, err = countSecrets(path, w.payload)
	}
	if err != nil {
		w.close(u)
		return nil, err
	}
	return w, nil
}

// readVaultFile returns the bytes of the vault file at path, which is the one with the given identity, or else an ErrChanged.
func readVaultFile(path string, id Identity) (file []byte, err error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := checkIs(id)(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file = make([]byte, id.bytes)
	if _, err := io.ReadFull(f, file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, cutShort(err))
	}
	return file, nil
}

// countSecrets decodes a copy of a payload.
func countSecrets(path string, payload *lockedmem.Buffer) (int, error) {
	scratch, err := lockedmem.NewOwn(payload.Len())
	if err != nil {
		return 0, err
	}
	copy(scratch.Bytes(), payload.Bytes())
	v, err := newVaultOf(path, scratch, Identity{}, false)
	if err != nil {
		return 0, err
	}
	defer v.Close()
	return v.Len(), nil
}

func etagOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// Copied is what [Copy] did.
type Copied struct {
	ETag    string // of the vault, and of the copy
	Secrets int
}

// Copy makes a new file at to, mode 0600, with the bytes of the vault at path: a backup. The vault is opened first, and the copy is read back,
// opened and compared before it gets its name. It takes no lock; what it copies is one state of the vault. A file that is at to is
// an fs.ErrExist. On an error there is no copy, unless it is an [ErrUnconfirmed].
func Copy(ctx context.Context, path string, u *Unlocker, to string) (Copied, error) {
	w, err := u.readWhole(ctx, path)
	if err != nil {
		return Copied{}, err
	}
	defer w.close(u)
	err = durable.Create(to, w.file, durable.CreateOptions{Mode: newVaultMode, Verify: verifySealed(w.key, w.payload.Bytes())})
	return Copied{ETag: etagOf(w.file), Secrets: w.secrets}, err
}
