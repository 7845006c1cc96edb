package main

import (
	"github.com/mazevault/vault-tool/kdf"
)

// argon2Env chooses the code that derives keys, for support: avx512, avx2 or generic. All derive the same keys.
const argon2Env = "VAULT_TOOL_ARGON2"

// chooseDeriver sets up what derives keys.
func (a *app) chooseDeriver() error {
	choice := a.getenv(argon2Env)
	if choice == "" {
		return nil // kdf.Default
	}
	d, err := kdf.New(kdf.Implementation(choice))
	if err != nil {
		return badInput("unset it, or set it to one of those", "%s: %w", argon2Env, err)
	}
	a.deriver = d
	return nil
}

// warnOfDeriver says that the processor computes wrong keys, so that slower code derives in its place.
func (a *app) warnOfDeriver() {
	if !a.derives {
		return
	}
	d := a.deriver
	if d == nil {
		d = kdf.Default()
	}
	if err := d.Problem(); err != nil {
		a.warn("%v; golang.org/x/crypto derives the key instead, and the key is right. Check this machine.", err)
	}
	a.verboseNote("keys are derived with %s", d.Implementation())
}
