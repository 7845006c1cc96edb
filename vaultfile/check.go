package vaultfile

import (
	"context"
	"fmt"
)

// Check returns nil if the vault at path opens with the passphrase that the source has now, or with
// that of its successor. Unlike [Open] it does not make do with a remembered key, so it tells whether
// another process could open the vault. For a passphrase and salt that are remembered it derives
// nothing. Errors are those of Open.
func (u *Unlocker) Check(ctx context.Context, path string) error {
	payload, _, k, err := u.decryptAfter(ctx, path, nil) // what is remembered is not to be tried
	if err != nil {
		return err
	}
	defer u.release(k)
	defer payload.Destroy()
	if _, _, err := decodePayload(payload.Bytes(), true); err != nil {
		return fmt.Errorf("%s: %w: %w", path, ErrPayload, err)
	}
	return nil
}
