package checkup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mazevault/vault-tool/internal/beside"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/keysource"
)

// dated is what people and the tool put behind the name of a copy: a day, or a time with a number where that was taken.
var dated = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\.[0-9]{8}(T[0-9]{6}Z?(-[0-9]+)?)?$`) })

// keyWithBackups looks into the directories of vault and key for one that holds dated copies of the vault and a key as well: a copy of it
// opens by itself.
func keyWithBackups(_ context.Context, h *Host) []finding.Finding {
	if h.Key == "" {
		return nil
	}
	var found []finding.Finding
	var seen []string
	for _, dir := range append(parents(h.Vault), parents(h.Key)...) {
		real, err := filepath.EvalSymlinks(dir)
		if err != nil || slices.Contains(seen, real) {
			continue
		}
		seen = append(seen, real)
		backups, key := together(real, filepath.Base(h.Vault), filepath.Base(h.Key))
		if backups == 0 || key == "" {
			continue
		}
		found = append(found, finding.Finding{
			Severity: finding.Error, Check: "key-with-backups", Insecure: true, Where: []string{dir},
			What: fmt.Sprintf("it holds backups of the vault (%d) and a key: whoever gets a copy of this directory has the secrets; keep %s elsewhere", backups, key),
		})
	}
	return found
}

// together counts the dated copies of a vault in a directory, and returns the name of a key there, "" for none.
func together(dir, vault, key string) (backups int, found string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, ""
	}
	vault, key = undated(vault), undated(key)
	for _, e := range entries {
		name := e.Name()
		switch plain := undated(name); {
		case plain == vault && plain != name:
			backups++
		case found == "" && (plain == key || name == key+keysource.SuccessorSuffix || strings.HasPrefix(name, key+beside.OldKeySuffix)):
			found = name
		}
	}
	return backups, found
}

// undated is the name that a copy is of.
func undated(name string) string { return dated().ReplaceAllString(name, "") }
