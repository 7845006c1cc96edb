package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

type rotateOptions struct {
	newKeyFile     string
	newAzureSecret string
	inPlace        bool
	keepOldKey     bool
}

type rotateSummary struct {
	VaultFile   string `json:"vault_file"`
	KeyFile     string `json:"key_file,omitempty"`   // the file that opens the vault now
	AzureSecret string `json:"akv_secret,omitempty"` // or the address of the secret that does
	Rekeyed     bool   `json:"re_encrypted"`         // false: an earlier run had done it
	OldKeyFile  string `json:"old_key_file,omitempty"`
}

// oldKeySuffix is appended to a key file's path for the key that --keep-old-key keeps.
const oldKeySuffix = ".old"

func newRotateKeyCommand(a *app) *cobra.Command {
	var o rotateOptions
	cmd := &cobra.Command{
		Use:   "rotate-key {--new-key-file FILE | --new-akv-secret NAME | --in-place}",
		Short: "Re-encrypt vault with a new passphrase",
		Long: `Re-encrypt the vault with a new key. The secrets themselves do not change.

With --new-key-file the key comes from a file, made by init; the file is yours to put in the old
one's place. While a key file KEY does not open the vault and KEY.new exists, readers try that too, so
nothing fails in between.

With --new-akv-secret the key comes from another secret in Azure Key Vault, the one of --akv-url. Then
point what reads the vault to that secret.

With --in-place all of it is done: a new key is written to KEY.new, the vault re-encrypted, and KEY.new
renamed to KEY. Interrupted at any point it can be run again, and finishes.

Backups of the vault made before need the old key: keep it as long as them.`,
		Example: `  vault-tool rotate-key --in-place --keep-old-key
  vault-tool init --key-file vault.key.new
  vault-tool rotate-key --key-file vault.key --new-key-file vault.key.new
  mv vault.key.new vault.key`,
		Args: noArguments,
		RunE: a.action(func(ctx context.Context, _ []string) error { return a.runRotateKey(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.newKeyFile, "new-key-file", "", "the key file to re-encrypt the vault with")
	flags.StringVar(&o.newAzureSecret, "new-akv-secret", "", "the Azure Key Vault secret with the key to re-encrypt the vault with")
	flags.BoolVar(&o.inPlace, "in-place", false, "generate a new key and put it in the place of the old one")
	flags.BoolVar(&o.keepOldKey, "keep-old-key", false, "with --in-place: keep the old key as KEY.old")
	cmd.MarkFlagsOneRequired("new-key-file", "new-akv-secret", "in-place")
	cmd.MarkFlagsMutuallyExclusive("new-key-file", "new-akv-secret", "in-place")
	cmd.MarkFlagsMutuallyExclusive("new-key-file", "keep-old-key")
	cmd.MarkFlagsMutuallyExclusive("new-akv-secret", "keep-old-key")
	completeFiles(cmd, "new-key-file")
	return cmd
}

func (a *app) runRotateKey(ctx context.Context, o rotateOptions) error {
	a.interrupts.catch()
	s := rotateSummary{VaultFile: a.vaultPath(), KeyFile: o.newKeyFile}
	var err error
	switch {
	case o.inPlace && a.azureURL() != "":
		err = badInput("use --new-akv-secret or --new-key-file", "the key is in Azure Key Vault, where it cannot be replaced in place")
	case o.inPlace:
		err = a.rotateInPlace(ctx, o, &s)
	case o.newAzureSecret != "":
		err = a.rekeyToAzure(ctx, o, &s)
	default:
		s.Rekeyed, err = a.rekey(ctx, o.newKeyFile, a.keyFile(o.newKeyFile), vaultfile.RekeyOptions{WriteOptions: a.writeOptions()})
		if errors.Is(err, vaultfile.ErrSameKey) {
			err = fmt.Errorf("%s and %s: %w", a.keyName(), o.newKeyFile, err)
		}
	}
	if err != nil {
		return err
	}
	a.noteRotation(o, s)
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

func (a *app) noteRotation(o rotateOptions, s rotateSummary) {
	if s.Rekeyed {
		a.note("re-encrypted %s with a new key", s.VaultFile)
	} else {
		a.note("%s was re-encrypted with the new key by an earlier run", s.VaultFile)
	}
	switch {
	case s.AzureSecret != "":
		a.note("Next: name that secret with --akv-secret or %s, restart what reads the vault, and back up the new key.", azureSecretEnv)
	case !o.inPlace && a.azureURL() != "":
		a.note("Next: use --key-file %s, or store it in Azure Key Vault; restart what reads the vault, and back up the new key.", s.KeyFile)
	case !o.inPlace:
		a.note("Next: put %s in the place of %s (mv, chmod 400), restart what reads the vault, and back up the new key.", s.KeyFile, a.keyPath())
	case s.OldKeyFile != "":
		a.note("%s is the new key; back it up. The old one is %s, which opens earlier backups of the vault.", s.KeyFile, s.OldKeyFile)
	default:
		a.note("%s is the new key; back it up. Earlier backups of the vault still need the old one.", s.KeyFile)
	}
}

// rekeyToAzure moves the vault to the key in another secret.
func (a *app) rekeyToAzure(ctx context.Context, o rotateOptions, s *rotateSummary) error {
	url := firstSet(a.azure.url, a.getenv(azureURLEnv))
	if url == "" {
		return badInput("give --akv-url or set "+azureURLEnv, "--new-akv-secret is given, but no Azure Key Vault")
	}
	key, err := a.azureKey(url, o.newAzureSecret)
	if err != nil {
		return err
	}
	s.AzureSecret = azureName(url, o.newAzureSecret)
	s.Rekeyed, err = a.rekey(ctx, "", key, vaultfile.RekeyOptions{WriteOptions: a.writeOptions()})
	if errors.Is(err, vaultfile.ErrSameKey) {
		err = badInput("store another key in the new secret", "%s and %s: %w", a.keyName(), s.AzureSecret, err)
	}
	return err
}

// rekey moves the vault from the key of the command line to newSource, which it closes. newPath is
// the path of the new key, if it is a file.
func (a *app) rekey(ctx context.Context, newPath string, newSource vaultKey, o vaultfile.RekeyOptions) (bool, error) {
	defer newSource.Close()
	oldSource, err := a.vaultKey()
	if err != nil {
		return false, err
	}
	defer oldSource.Close()
	for _, key := range []string{a.keyPath(), newPath} {
		// A vault serves as a passphrase, but would be gone with its replacement.
		if err := refuseSameFile(a.vaultPath(), key); err != nil {
			return false, err
		}
	}
	oldKey, newKey := a.newUnlocker(oldSource), a.newUnlocker(newSource)
	defer oldKey.Close()
	defer newKey.Close()
	rekeyed, err := vaultfile.Rekey(ctx, a.vaultPath(), oldKey, newKey, o)
	return rekeyed, a.nameKey(ctx, oldSource, err)
}

// rotateInPlace goes from (KEY old, vault old) over (KEY.new, vault old) and (KEY.new, vault new) to
// (KEY new, vault new). Each step is durable before the next begins, all of them happen under the
// vault's lock, and each state is one from which this function goes on. Readers find a key that opens
// the vault in every one of them.
func (a *app) rotateInPlace(ctx context.Context, o rotateOptions, s *rotateSummary) error {
	keyPath, err := replaceableKey(a.keyPath())
	if err != nil {
		return err
	}
	s.KeyFile = a.keyPath()
	successor := keyPath + keysource.SuccessorSuffix
	s.Rekeyed, err = a.rekey(ctx, successor, a.keyFile(successor), vaultfile.RekeyOptions{
		WriteOptions: a.writeOptions(),
		Prepare: func() error {
			// What a killed run left of these is a key; nothing else would remove it where this run goes on after it.
			_ = durable.Sweep(successor)
			_ = durable.Sweep(keyPath + oldKeySuffix)
			_, err := os.Lstat(successor)
			if errors.Is(err, fs.ErrNotExist) {
				return keysource.GenerateSuccessor(keyPath)
			}
			if err != nil {
				return err
			}
			if err := refuseForeignSuccessor(successor, keyPath); err != nil {
				return err
			}
			a.note("going on with the key in %s, left by an earlier run", successor)
			return nil
		},
		Finish: func() error {
			if o.keepOldKey {
				if err := durable.Keep(keyPath, oldKeySuffix); err != nil {
					return err
				}
				s.OldKeyFile = keyPath + oldKeySuffix
			}
			return durable.Rename(successor, keyPath)
		},
	})
	if errors.Is(err, vaultfile.ErrSameKey) {
		return badInput("remove "+successor+" and run the command again", "%s and %s are the same key", successor, a.keyPath())
	}
	return err
}

// refuseForeignSuccessor refuses a KEY.new that an earlier run cannot have left: it has the owner of KEY. In
// a directory that others may write to, anybody can put a key there that he knows, and would have the
// vault re-encrypted with it.
func refuseForeignSuccessor(successor, keyPath string) error {
	info, err := os.Lstat(successor)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return badInput("nothing was changed; move it away and run the command again", "%s is not a regular file", successor)
	}
	same, err := durable.SameOwner(successor, keyPath)
	if err == nil && !same {
		err = &failure{
			code: exitInsecure,
			err:  fmt.Errorf("%s does not belong to the owner of %s: somebody else may have made it, and know it", successor, keyPath),
			hint: "nothing was changed; if you made it, chown it, otherwise move it away, and run the command again",
		}
	}
	return err
}

// replaceableKey returns the path of the key file behind symbolic links, if a new one can be put there.
func replaceableKey(path string) (string, error) {
	notReplaceable := badInput("use --new-key-file for a key that does not come from a file", "the key %s is not a file that could be replaced", path)
	if descriptor.Named(path) {
		return "", notReplaceable
	}
	target, err := durable.Resolve(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(target)
	switch {
	case err != nil:
		return target, nil // whoever reads the key says what is wrong with it
	case !info.Mode().IsRegular():
		return "", notReplaceable
	}
	return target, durable.CheckReplaceable(target)
}
