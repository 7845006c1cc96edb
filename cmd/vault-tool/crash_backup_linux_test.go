package main

import (
	"os"
	"slices"
	"strings"
)

// backupCrashCases are the commands that make backups and put them back.
func backupCrashCases() []crashCase {
	old := someSecrets
	updated := withSecrets(old, "A", "another")
	update := func(f *folder) {
		f.put("one", f.read("secrets.vault"), 0o600)
		f.mustRun("another", "add", "A")
	}
	restore := crashCase{
		name: "restore", oneFault: true, args: []string{"restore", "one"}, initial: old, before: updated, after: old, prepare: update,
		leaves: []string{"secrets.vault.bak"},
	}
	older := restore
	older.name, older.args = "restore from before a rotation", []string{"restore", "one", "--key-file", "vault.key", "--key-file", "vault.key.old"}
	older.prepare = func(f *folder) {
		f.put("one", f.read("secrets.vault"), 0o600)
		f.mustRun("", "rotate-key", "--in-place")
		f.mustRun("another", "add", "A")
	}
	gone := restore
	gone.name, gone.before, gone.leaves = "restore without a vault", nil, []string{"secrets.vault"}
	gone.prepare = func(f *folder) {
		update(f)
		remove(f, "secrets.vault")
	}
	backup := crashCase{
		name: "backup", oneFault: true, args: []string{"backup", "--to", "backups", "--keep", "2"}, before: old, after: old,
		prepare: func(f *folder) {
			for _, name := range []string{"backups", "keys"} {
				if err := os.Mkdir(f.path(name), 0o700); err != nil {
					f.t.Fatal(err)
				}
			}
			f.mustRun("", "backup", "--to", "backups")
			f.mustRun("", "backup", "--to", "backups")
		},
		check:    func(f *folder) { checkBackups(f, 2, 3) }, // the new one is made before an old one goes
		checkEnd: func(f *folder) { checkBackupsAtEnd(f, 0) },
	}
	withKey := backup
	withKey.name, withKey.args = "backup with the key", append(slices.Clone(backup.args), "--with-key-to", "keys")
	withKey.checkEnd = func(f *folder) { checkBackupsAtEnd(f, 1) }
	return []crashCase{restore, older, gone, backup, withKey}
}

// checkBackups wants so many backups, all of which open. What is being made has another name.
func checkBackups(f *folder, least, most int) {
	f.mustRun("", "verify", "backups")
	n := 0
	for name := range f.snapshot() {
		if strings.HasPrefix(name, "backups/secrets.vault.") {
			n++
		}
	}
	if n < least || n > most {
		f.t.Errorf("there are %d backups", n)
	}
}

// checkBackupsAtEnd wants nothing but the backups that stay, and so many copies of the key.
func checkBackupsAtEnd(f *folder, copies int) {
	checkBackups(f, 2, 2)
	keys := 0
	for name := range f.snapshot() {
		if strings.HasSuffix(name, ".vault-tmp") {
			f.t.Errorf("stray file %s", name)
		}
		if strings.HasPrefix(name, "keys/vault.key.") {
			keys++
			if f.read(name) != f.read("vault.key") {
				f.t.Errorf("%s is not the key", name)
			}
		}
	}
	if keys != copies {
		f.t.Errorf("there are %d copies of the key", keys)
	}
}
