package verify

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// longestKeyBytes is more than any key that people make has.
const longestKeyBytes = 4096

// looksLikeKey tells whether a file that is no vault is a key: one as `init` makes it, under any name, or anything that fits and is called
// a key, such as vault.key.20260419.
func looksLikeKey(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 || info.Size() > longestKeyBytes {
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
	content, err := lockedmem.ReadAll(f, longestKeyBytes)
	if err != nil {
		return false
	}
	defer content.Destroy()
	return isMadeByInit(content.Bytes())
}

// isMadeByInit tells whether content is 32 bytes in hexadecimal digits on one line.
func isMadeByInit(content []byte) bool {
	const keyBytes = 32
	if n := len(content); n > 0 && content[n-1] == '\n' {
		content = content[:n-1]
	}
	if len(content) != hex.EncodedLen(keyBytes) {
		return false
	}
	for _, c := range content {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
