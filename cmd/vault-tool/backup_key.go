package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/mazevault/vault-tool/internal/backups"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/mounts"
)

// keepKeyApart refuses a place for backups in which the key is, or would be.
func (a *app) keepKeyApart(o backupOptions) error {
	if a.azureURL() == "" || a.keyFlag != "" {
		for _, key := range []string{a.keyPath(), resolved(a.keyPath())} {
			if _, err := os.Stat(key); err == nil && sameFile(filepath.Dir(key), o.to) {
				return apart("the key is in %s, and would be in one place with the backups", o.to)
			}
		}
	}
	if o.withKeyTo == "" {
		return nil
	}
	if err := checkDirectory("--with-key-to", o.withKeyTo); err != nil {
		return err
	}
	if a.azureURL() != "" && a.keyFlag == "" {
		return badInput("leave out --with-key-to: Azure Key Vault has backups of its own", "the key is in no file")
	}
	if info, err := os.Stat(a.keyPath()); err == nil && !info.Mode().IsRegular() {
		return badInput("leave out --with-key-to, or give the key as a file", "the key is in no file")
	}
	if within(o.withKeyTo, o.to) || within(o.to, o.withKeyTo) {
		return apart("%s and %s are one place", o.to, o.withKeyTo)
	}
	if mounts.Same(o.to, o.withKeyTo) {
		a.warn("%s and %s are on one file system: who takes that has the vault and its key", o.to, o.withKeyTo)
	}
	return nil
}

func apart(format string, args ...any) error {
	return &failure{code: exitInsecure, err: fmt.Errorf(format, args...), hint: nothingChanged + "; whoever has the vault and the key has the secrets: keep them apart"}
}

// resolved is a path without symbolic links, or as it is where it leads nowhere.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// within tells whether a directory is another one or below it.
func within(inner, outer string) bool {
	path, err := filepath.Abs(resolved(inner))
	for err == nil {
		if sameFile(path, outer) {
			return true
		}
		parent := filepath.Dir(path)
		if parent == path {
			return false
		}
		path = parent
	}
	return false
}

// keyBackupMode is the product's for a key.
const keyBackupMode fs.FileMode = 0o400

// backUpKey copies the key to a directory, unless it is there, and returns its path there.
func (a *app) backUpKey(ctx context.Context, to string, now time.Time) (string, error) {
	dir, err := a.holdBackups(ctx, to)
	if err != nil {
		return "", err
	}
	defer dir.Release()
	name := filepath.Base(a.keyPath())
	_ = dir.Sweep(name) // what it cannot remove does not stand in the way
	present, err := dir.List(name)
	if err != nil {
		return "", err
	}
	for _, b := range present {
		if same, err := durable.SameContent(a.keyPath(), dir.Path(b)); err == nil && same {
			return dir.Path(b), nil
		}
	}
	b, err := dir.Next(name, now)
	if err != nil {
		return "", err
	}
	return dir.Path(b), leftUnchanged(copyKey(a.keyPath(), dir, b))
}

func copyKey(path string, dir *backups.Directory, b backups.Backup) error {
	if err := durable.BackupAs(path, dir.Path(b), keyBackupMode); err != nil {
		return err
	}
	same, err := durable.SameContent(path, dir.Path(b))
	if err == nil && !same {
		err = errors.New("the copy of the key does not read back equal")
	}
	return err
}
