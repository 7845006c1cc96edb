package checkup

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/mazevault/vault-tool/internal/beside"
	"github.com/mazevault/vault-tool/internal/finding"
)

// keyWithBackups looks for a directory that holds dated backups of the vault and a key: a copy of it opens by itself.
func keyWithBackups(_ context.Context, h *Host) []finding.Finding {
	if h.Key == "" {
		return nil
	}
	files := h.beside()
	inKeyDirectory, err := beside.List(filepath.Join(filepath.Dir(h.Key), filepath.Base(h.Vault)), h.Key)
	if err == nil {
		files = append(files, inKeyDirectory...)
	}
	backups, keys := make(map[string]int), make(map[string]string)
	seen := make(map[string]bool)
	for _, f := range files {
		if seen[f.Path] {
			continue
		}
		seen[f.Path] = true
		dir := topOf(f.Path)
		switch f.Kind {
		case beside.DatedBackup:
			backups[dir]++
		case beside.Key, beside.OldKey, beside.NewKey:
			if keys[dir] == "" {
				keys[dir] = f.Path
			}
		}
	}
	var found []finding.Finding
	for dir, key := range keys {
		if backups[dir] > 0 {
			found = append(found, finding.Finding{
				Severity: finding.Error, Check: "key-with-backups", Insecure: true, Where: []string{dir},
				What: fmt.Sprintf("it holds backups of the vault (%d) and a key: whoever gets a copy of this directory has the secrets; keep %s elsewhere", backups[dir], filepath.Base(key)),
			})
		}
	}
	return found
}
