// Package beside knows by their names the files that stand beside a vault and its key.
package beside

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mazevault/vault-tool/internal/backups"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// Kind says what a file is by its name.
type Kind string

// The kinds. They stand in the output of programs, so that none is renamed.
const (
	Lock        Kind = "lock"         // VAULT.lock, which stays between writes; KEY.lock likewise
	Backup      Kind = "backup"       // VAULT.bak, VAULT.bak.1…
	DatedBackup Kind = "dated_backup" // VAULT.20260419T120000Z, perhaps with -1 behind it
	DropKey     Kind = "drop_key"     // VAULT.drop.pub
	Key         Kind = "key"          // KEY, in the directory of the vault
	NewKey      Kind = "new_key"      // KEY.new: a rotation is under way
	OldKey      Kind = "old_key"      // KEY.old, KEY.old.1…
	Temporary   Kind = "temporary"    // of a writer that is at work, or was killed
	Displaced   Kind = "displaced"    // what another program had written at the moment of a write
)

// Suffixes of a path.
const (
	DropKeySuffix = ".drop.pub"
	OldKeySuffix  = ".old"
)

// File is a file beside a vault or its key.
type File struct {
	Path string
	Kind Kind
	Of   string // the name of the file that it belongs to
	Info fs.FileInfo
}

// List returns the files beside the vault and the key, "" for no key file, sorted by path. Where either is a symbolic link, those beside
// the file that it leads to are among them. The vault itself is not, and the key only where it is in a directory of the vault. A directory that is missing has none.
func List(vault, key string) ([]File, error) {
	var files []File
	vaultDirs, keyDirs := directories(vault), directories(key)
	for _, dir := range vaultDirs {
		var keys []string
		if contains(keyDirs, dir) {
			keys = baseNames(key)
		}
		found, err := inDirectory(dir, baseNames(vault), keys)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	for _, dir := range keyDirs {
		if contains(vaultDirs, dir) {
			continue
		}
		found, err := inDirectory(dir, nil, baseNames(key))
		if err != nil {
			return nil, err
		}
		files = append(files, slices.DeleteFunc(found, func(f File) bool { return f.Kind == Key })...)
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

func contains(dirs []string, dir string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return sameDirectory(d, dir) })
}

// directories are that of the path, and that of the file behind its links if it is another.
func directories(path string) []string {
	if path == "" {
		return nil
	}
	dirs := []string{filepath.Dir(path)}
	if target, err := durable.Resolve(path); err == nil && !sameDirectory(filepath.Dir(target), dirs[0]) {
		dirs = append(dirs, filepath.Dir(target))
	}
	return dirs
}

func sameDirectory(a, b string) bool {
	if a == b {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// baseNames are the names of the path and of the file behind its links.
func baseNames(path string) []string {
	if path == "" {
		return nil
	}
	names := []string{filepath.Base(path)}
	if target, err := durable.Resolve(path); err == nil && filepath.Base(target) != names[0] {
		names = append(names, filepath.Base(target))
	}
	return names
}

func inDirectory(dir string, vaults, keys []string) ([]File, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		kind, of, ok := kindOf(e.Name(), vaults, keys)
		if !ok {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			return nil, err
		}
		files = append(files, File{filepath.Join(dir, e.Name()), kind, of, info})
	}
	return files, nil
}

// kindOf tells what a file is in a directory with vaults and keys of the given names.
func kindOf(name string, vaults, keys []string) (kind Kind, of string, ok bool) {
	if base, ok := durable.TempOf(name); ok && belongs(base, vaults, keys) {
		return Temporary, base, true
	}
	if base, ok := durable.DisplacedOf(name); ok && belongs(base, vaults, keys) {
		return Displaced, base, true
	}
	for _, vault := range vaults {
		if kind, ok := kindForVault(name, vault); ok {
			return kind, vault, true
		}
	}
	for _, key := range keys {
		if kind, ok := kindForKey(name, key); ok {
			return kind, key, true
		}
	}
	return "", "", false
}

// belongs tells whether a file that was written is one of the vaults or keys, or stands beside one.
func belongs(base string, vaults, keys []string) bool {
	if slices.Contains(vaults, base) {
		return true
	}
	_, _, ok := kindOf(base, vaults, keys)
	return ok
}

func kindForVault(name, vault string) (Kind, bool) {
	suffix, ok := strings.CutPrefix(name, vault)
	switch {
	case name == durable.LockFile(vault):
		return Lock, true
	case !ok:
		return "", false
	case suffix == DropKeySuffix:
		return DropKey, true
	case len(backups.Of(vault, []string{name})) > 0:
		return DatedBackup, true
	}
	return Backup, numbered(suffix, vaultfile.BackupSuffix)
}

func kindForKey(name, key string) (Kind, bool) {
	suffix, ok := strings.CutPrefix(name, key)
	switch {
	case name == key:
		return Key, true
	case name == durable.LockFile(key):
		return Lock, true
	case !ok:
		return "", false
	case suffix == keysource.SuccessorSuffix:
		return NewKey, true
	}
	return OldKey, numbered(suffix, OldKeySuffix)
}

// numbered tells whether a suffix is the given one, or that with a number behind it.
func numbered(suffix, of string) bool {
	rest, ok := strings.CutPrefix(suffix, of)
	number, isNumbered := strings.CutPrefix(rest, ".")
	return ok && (rest == "" || isNumbered && number != "" && strings.Trim(number, "0123456789") == "")
}
