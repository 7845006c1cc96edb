package main

import (
	"context"

	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/vaultfile"
)

// ownBackups tells the backups of the vault from those of others that have its name. A backup of the same salt is its own. So is one from before a
// rotation, if the key or an earlier one beside it opens it, and it has the same history.
type ownBackups struct {
	*app
	ctx  context.Context
	made string // the backup that was just made

	id    vaultfile.Identity
	known bool
	salts []judgedSalt
	keys  *keyring.Keyring // nil until a backup has another salt
	end   []func()
}

type judgedSalt struct {
	of   vaultfile.Identity
	ours bool
}

func (o *ownBackups) close() {
	for _, end := range o.end {
		end()
	}
}

func (o *ownBackups) is(path string) bool {
	if !o.known {
		id, err := vaultfile.Identify(o.made)
		if err != nil {
			return false
		}
		o.id, o.known = id, true
	}
	id, err := vaultfile.Identify(path)
	if err != nil {
		return false // it is no vault, or was damaged: nobody knows whose
	}
	if id.SameSalt(o.id) {
		return true
	}
	for _, judged := range o.salts {
		if judged.of.SameSalt(id) {
			return judged.ours
		}
	}
	ours := o.sameHistory(path)
	o.salts = append(o.salts, judgedSalt{id, ours})
	return ours
}

// sameHistory opens a backup of another salt and the one that was just made.
func (o *ownBackups) sameHistory(path string) bool {
	if o.keys == nil && o.openKeys() != nil {
		return false
	}
	now, _, err := o.keys.OpenHistory(o.ctx, o.made)
	if err != nil {
		return false
	}
	defer now.Close()
	then, _, err := o.keys.OpenHistory(o.ctx, path)
	if err != nil {
		return false
	}
	defer then.Close()
	return then.SameHistory(now)
}

// openKeys takes the key of the command line, and those that rotations have kept beside it.
func (o *ownBackups) openKeys() error {
	first, err := o.vaultKey()
	if err != nil {
		return err
	}
	sources := []vaultKey{first}
	names := []string{o.keyName()}
	if o.azureURL() == "" {
		for _, old := range oldKeys(o.keyPath()) {
			sources, names = append(sources, o.keyFile(old)), append(names, old)
		}
	}
	keys := make([]keyring.Key, 0, len(sources))
	for i, source := range sources {
		u := o.newUnlocker(source)
		o.end = append(o.end, u.Close, source.Close)
		if i > 0 && source.Passphrase(o.ctx, func([]byte) error { return nil }) != nil {
			continue // one of another user, say
		}
		keys = append(keys, keyring.Key{Name: names[i], Unlocker: u})
	}
	o.keys = keyring.New(keys...)
	return nil
}
