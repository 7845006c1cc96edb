package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/vaultfile"
)

// formerSecrets are secrets as they were, by their full names.
type formerSecrets map[string][]byte

func (s formerSecrets) Names() []string { return slices.Sorted(maps.Keys(s)) }

func (s formerSecrets) Use(name string, f func(value []byte) error) error {
	value, ok := s[name]
	if !ok {
		return fmt.Errorf("%w: %s", vaultfile.ErrNotFound, name)
	}
	return f(value)
}

// formerFolder copies the secrets of a folder, as they were at a revision, to memory.
func formerFolder(v *vaultfile.Vault, path string, revision uint64, memory *lockedmem.Arena) (formerSecrets, error) {
	versions, err := v.AtRevision(path, revision)
	if err != nil {
		return nil, err
	}
	former := make(formerSecrets, len(versions))
	for name, version := range versions {
		err := v.UseVersion(name, version, func(value []byte) (err error) {
			former[name], err = memory.Copy(value)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return former, nil
}

// revisionError adds exit code and hint to an error of formerFolder.
func revisionError(vault string, err error) error {
	if !errors.Is(err, vaultfile.ErrNotFound) && !errors.Is(err, vaultfile.ErrNoHistory) {
		return err
	}
	return &failure{code: exitNotFound, kind: kindOf(err, exitNotFound), err: fmt.Errorf("%s: %w", vault, err), hint: "vault-tool history --json lists the revisions"}
}

// eachAt calls f for every secret that there is or has been, with the value that it had at a time, or with existed false. It returns the names of
// those of which the history cannot tell what they were.
func eachAt(v *vaultfile.Vault, at time.Time, f func(name string, value []byte, existed bool) error) (unknown []string, err error) {
	for _, name := range v.Past() {
		known, err := useAt(v, name, at, func(value []byte, existed bool) error { return f(name, value, existed) })
		if err != nil {
			return nil, err
		}
		if !known {
			unknown = append(unknown, name)
		}
	}
	return unknown, nil
}

// useAt calls f with the value that a secret had at a time, if that is known.
func useAt(v *vaultfile.Vault, name string, at time.Time, f func(value []byte, existed bool) error) (known bool, err error) {
	h, err := v.History(name)
	if err != nil {
		return false, nil
	}
	version, known := versionAt(h, at)
	switch {
	case !known:
		return false, nil
	case version == nil || version.State == vaultfile.VersionDeleted:
		return true, f(nil, false)
	case version.State != vaultfile.VersionKept && version.State != vaultfile.VersionCurrent:
		return false, nil
	}
	return true, v.UseVersion(name, version.Number, func(value []byte) error { return f(value, true) })
}

// versionAt is the version that a secret had at a time, nil where it did not exist. known is false where the history cannot tell.
func versionAt(h vaultfile.History, at time.Time) (version *vaultfile.Version, known bool) {
	i := -1
	for n := range h.Versions { // by number: a clock may have gone back
		if v := h.Versions[n]; !v.Time.IsZero() && !v.Time.After(at) {
			i = n
		}
	}
	if next := i + 1; next < len(h.Versions) && h.Versions[next].Origin != vaultfile.OriginWritten {
		return nil, false // it came some time before it was noticed, perhaps before then
	}
	if i < 0 {
		return nil, h.Complete
	}
	return &h.Versions[i], true
}
