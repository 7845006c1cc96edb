package checkup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/shellword"
)

// dotenvName is what a file of variables is called, and maxDotenvBytes more than one has.
const (
	dotenvName     = ".env"
	maxDotenvBytes = 16 << 20
)

// MovedNames looks into the .env beside the vault for names of secrets that are in the vault, which therefore stand in the clear there. The
// readers of such files leave copies of values on the heap: the caller has them collected. It is no check of [Host.Examine], because the
// names are known only when the vault is open.
func (h *Host) MovedNames(has func(name string) bool) []finding.Finding {
	var found []finding.Finding
	var seen []fs.FileInfo
	for _, dir := range parents(h.Vault) {
		path := filepath.Join(dir, dotenvName)
		info, ok := regular(path)
		if !ok || slices.ContainsFunc(seen, func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
			continue
		}
		seen = append(seen, info)
		found = append(found, h.movedNamesIn(path, has)...)
	}
	return found
}

func (h *Host) movedNamesIn(path string, has func(name string) bool) []finding.Finding {
	names, err := namesIn(path)
	if err != nil {
		return one(finding.Finding{
			Severity: finding.Info, Check: "dotenv-unread", Where: []string{path},
			What: "it was not looked at for names that are in the vault: " + err.Error(),
		})
	}
	include := ""
	var moved []string
	for _, name := range names {
		if has(name) && !slices.Contains(moved, name) {
			moved = append(moved, name)
			include += " --include " + shellword.Quote(name)
		}
	}
	if len(moved) == 0 {
		return nil
	}
	return one(finding.Finding{
		Severity: finding.Warn, Check: "dotenv-moved", Insecure: true, Where: append([]string{path}, moved...),
		What: "it still holds, in the clear, what is in the vault under the same names",
		Mend: h.Tool("migrate-env --env-file " + shellword.Path(path) + include + " --prune"),
	})
}

// namesIn returns the names that a file gives a value, those among them on which its readers do not agree.
func namesIn(path string) (names []string, err error) {
	f, err := descriptor.Open(path) // which waits for nobody, should it be a pipe by now
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("it is no regular file"))
	}
	text, err := lockedmem.ReadAll(f, maxDotenvBytes)
	if err != nil {
		return nil, err
	}
	defer text.Destroy()
	file, err := dotenv.Parse(text.Bytes(), dotenv.Strict)
	if err != nil {
		return nil, err
	}
	defer file.Wipe()
	for e := range file.Effective() {
		if e.Err != nil && !e.Bare && len(file.RawValue(e)) > 0 || e.Err == nil && len(e.Value) > 0 {
			names = append(names, e.Name)
		}
	}
	return names, nil
}
