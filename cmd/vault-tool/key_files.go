package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/vaultfile"
)

// keyFiles is the value of a --key-file that may be repeated. The first is the key of the command, as everywhere.
type keyFiles struct{ a *app }

func (k keyFiles) Set(path string) error {
	switch {
	case path == "":
		return errors.New("empty")
	case k.a.keyFlag == "":
		k.a.keyFlag = path
	default:
		k.a.moreKeys = append(k.a.moreKeys, orStdin(path))
	}
	return nil
}

func (keyFiles) Type() string { return "path" }

func (k keyFiles) String() string {
	if k.a == nil { // pflag asks a zero value
		return ""
	}
	return k.a.keyFlag
}

// addKeyFiles lets a command take --key-file several times.
func (a *app) addKeyFiles(cmd *cobra.Command) {
	cmd.Flags().Var(keyFiles{a}, "key-file", "a key `FILE`; may be repeated, whichever opens a vault is used")
	completeFiles(cmd, "key-file")
}

// withKeys calls f with all keys of the command line, and wipes what they hold. Each is read first, so that one that cannot be is told whatever
// the vaults need.
func (a *app) withKeys(ctx context.Context, f func(*keyring.Keyring) error) error {
	first, err := a.vaultKey()
	if err != nil {
		return err
	}
	sources, names := []vaultKey{first}, []string{a.keyName()}
	for _, path := range a.moreKeys {
		sources, names = append(sources, a.keyFile(path)), append(names, path)
	}
	keys := make([]keyring.Key, len(sources))
	for i, source := range sources {
		defer source.Close()
		if err := source.Passphrase(ctx, func([]byte) error { return nil }); err != nil {
			return a.nameDefaults(err)
		}
		u := a.newUnlocker(source)
		defer u.Close()
		keys[i] = keyring.Key{Name: names[i], Unlocker: u}
	}
	err = f(keyring.New(keys...))
	if len(keys) == 1 || !errors.Is(err, vaultfile.ErrDecryption) {
		return a.nameKey(ctx, first, err)
	}
	return &failure{code: exitCannotOpen, err: err, hint: "either none of the keys is this vault's (" + strings.Join(names, ", ") +
		") or the file is damaged, which cannot be told apart; add the right one with --key-file, or restore the vault from a backup"}
}
