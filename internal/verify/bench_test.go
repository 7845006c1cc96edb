package verify

import (
	"fmt"
	"path/filepath"
	"testing"
)

// BenchmarkVerify looks at one backup of 27 secrets.
func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	vault := filepath.Join(dir, "vault")
	var names []string
	for i := range 27 {
		names = append(names, fmt.Sprintf("SECRET_%02d", i), "a value of some length, as they are")
	}
	set(b, vault, "the passphrase", names...)
	v := &Verifier{Keys: newKeyring(b, "the passphrase")}
	files := make([]File, b.N)
	for i := range files {
		files[i] = File{Path: vault, named: true}
	}
	b.ResetTimer()
	if err := v.Run(b.Context(), files, func(Result) error { return nil }); err != nil {
		b.Fatal(err)
	}
}
