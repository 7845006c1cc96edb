// Package vaultfile reads and writes MVT1 vaults: one encrypted file of named secrets.
//
// # Use
//
//	u := vaultfile.NewUnlocker(keysource.NewFile("vault.key"))
//	defer u.Close()
//	v, err := vaultfile.Open(ctx, "secrets.vault", u)
//	if err != nil { … }
//	defer v.Close()
//	err = v.Use("DATABASE_URL", func(value []byte) error { … })
//
// [Update] changes a vault, [Create] makes one, [Rekey] moves one to another passphrase.
//
// # Guarantees
//
// A vault is replaced as a whole through a durable writer: after a kill or a power cut the path holds
// the old vault or the new one, and what is new was read back with its key before it was put there.
// Writers exclude one another through a lock file beside the vault, and none loses another's update.
// Readers take no lock.
//
// Passphrases, keys and secrets stand in locked memory and are wiped when closed. A value gets to the
// ordinary heap only through [Vault.Get], as the string that was asked for.
//
// # Non-guarantees
//
// Without runtime/secret in the build (see internal/erase) the passphrase can stay on the heap where
// golang.org/x/crypto derives the key. Importing this package, and with it memguard, sets the limit on core dumps
// (RLIMIT_CORE) to zero for the process and the programs that it starts. Where the system refuses to lock memory, secrets are held in plain memory that stays out of
// core dumps; [MemoryLocked] tells. A reader with write access to the directory can put an older vault
// in the place of a newer one: the format has no rollback protection.
package vaultfile

import "github.com/mazevault/vault-tool/internal/lockedmem"

// MemoryLocked returns nil if all secrets of the process so far got locked memory, and otherwise the
// system's reason for the first that did not.
func MemoryLocked() error { return lockedmem.Shortfall() }
