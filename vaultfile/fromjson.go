package vaultfile

import (
	"fmt"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// FromJSON returns a vault that no file stands behind, with the content of a JSON object of names to
// strings: for tests, and for content that came another way. src is copied to locked memory and left
// as it is. An error is a [PayloadError], or an [ErrTooLarge] for more than MaxFileBytes.
func FromJSON(src []byte) (*Vault, error) {
	if len(src) > MaxFileBytes {
		return nil, fmt.Errorf("%w: JSON of %d bytes, the most is %d", ErrTooLarge, len(src), MaxFileBytes)
	}
	payload, err := lockedmem.NewOwn(len(src))
	if err != nil {
		return nil, err
	}
	copy(payload.Bytes(), src)
	return newVault(payload, false)
}
