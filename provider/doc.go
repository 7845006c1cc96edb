// Package provider gives a Go service its secrets: from the vault, else from the environment.
//
// # Use
//
//	secrets, err := provider.FromEnv(ctx,
//		provider.WithRequire("DATABASE_URL", "MAZEVAULT_JWT_KEY"),
//		provider.WithWatch(func(c provider.Change) { … }))
//	if err != nil { … }
//	defer secrets.Close()
//	dsn := secrets.Get("DATABASE_URL")
//	err = secrets.Use("MAZEVAULT_JWT_KEY", func(key []byte) error { … })
//	err = secrets.Fill(ctx, &cfg)
//	pools, err := provider.NewUpdater(ctx, secrets, []string{"DATABASE_URL"}, open, closePool)
//
// [FromEnv] is configured by the variables that vault-tool itself reads; [Open] takes the same as
// values. Without a vault file the provider works on the environment alone, so that a service can be
// moved to a vault secret by secret.
//
// # Guarantees
//
// A vault that is configured and cannot be opened is an error at the start, never an empty answer. A
// lookup never waits: not for another one, not for a reload. A reload puts a whole new snapshot in the
// place of the old one; each lookup, and each [Provider.View] of several, sees one snapshot. Where a new
// vault cannot be opened, or lacks a secret of [Config].Require, the last good snapshot serves on. The key from before a rotation is forgotten
// with it, and opens nothing any more.
//
// Secrets of the vault stand once, in locked memory (see vaultfile). A snapshot that was replaced is
// wiped as soon as the last lookup in it has ended. A secret gets to the ordinary heap only as a string
// that was asked for ([Provider.Get], [Provider.Lookup], [Provider.Fill]). No error, no [Change] and no printing of a
// provider shows a value.
//
// # Non-guarantees
//
// What comes from the environment, or from a .env file, is in ordinary memory and stays there. The
// environment is not watched. A .env file is read once. Where the system does not notify of changes to
// files ([ErrNoNotify]), a change is noticed with the next poll only.
//
// # Building a service
//
// On Linux (amd64, arm64) build with GOEXPERIMENT=runtimesecret: the runtime then erases what cryptography leaves
// on stack and heap. Without it the passphrase can stay on the heap where golang.org/x/crypto derives the key:
// on processors without AVX2 and on other systems than Linux. Build with CGO_ENABLED=0, unless no C is called where secrets are used: a
// call of C while the runtime keeps secrets ends the process with a fault (Go 1.26).
//
// Importing this package, and with it memguard, sets the limit on core dumps (RLIMIT_CORE) to zero for the process
// and the programs that it starts, for good.
package provider
