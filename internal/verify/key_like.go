package verify

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mazevault/vault-tool/internal/keyshape"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// looksLikeKey tells whether a file that is no vault is a key: one as `init` makes it, under any name, or anything that fits and is called
// a key, such as vault.key.20260419.
func looksLikeKey(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 || info.Size() > keyshape.MaxBytes {
		return false
	}
	if slices.Contains(strings.Split(strings.ToLower(filepath.Base(path)), "."), "key") {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() // read-only: nothing to report
	content, err := lockedmem.ReadAll(f, keyshape.MaxBytes)
	if err != nil {
		return false
	}
	defer content.Destroy()
	return keyshape.IsMadeByInit(content.Bytes())
}
