package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/beside"
	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

type rotateOptions struct {
	newKeyFile     string
	newAzureSecret string
	inPlace        bool
	keepOldKey     bool // what happens anyway; accepted from the time when it did not
	discardOldKey  bool
	dropHistory    bool
}

type rotateSummary struct {
	VaultFile   string `json:"vault_file"`
	KeyFile     string `json:"key_file,omitempty"`   // the file that opens the vault now
	AzureSecret string `json:"akv_secret,omitempty"` // or the address of the secret that does
	Rekeyed     bool   `json:"re_encrypted"`         // false: an earlier run had done it
	OldKeyFile  string `json:"old_key_file,omitempty"`
	ETag        string `json:"etag"`

	written vaultfile.Written
}

const (
	// oldKeySuffix is appended to a key file's path for the key that was in its place.
	oldKeySuffix = beside.OldKeySuffix

	// oldKeyMode lets only the owner read it, and nobody write it.
	oldKeyMode fs.FileMode = 0o400
)

func newRotateKeyCommand(a *app) *cobra.Command {
	var o rotateOptions
	cmd := &cobra.Command{
		Use:   "rotate-key {--new-key-file FILE | --new-akv-secret NAME | --in-place}",
		Short: "Re-encrypt vault with a new passphrase",
		Long: `Re-encrypt the vault with a new key. The secrets themselves do not change.

With --new-key-file the key comes from a file, made by init; the file is yours to put in the old
one's place. The old key is copied to KEY.old. While a key file KEY does not open the vault and KEY.new exists, readers try that too, so
nothing fails in between.

With --new-akv-secret the key comes from another secret in Azure Key Vault, the one of --akv-url. Then
point what reads the vault to that secret.

With --in-place all of it is done: the old key is kept as KEY.old (an earlier one as KEY.old.1, and so
on), a new key is written to KEY.new, the vault re-encrypted, and KEY.new renamed to KEY. Interrupted
at any point it can be run again, and finishes.

Backups of the vault made before need the old key, and so does every other vault of that key: keep it
as long as them. --discard-old-key keeps no copy.

A new key belongs to you, to root or to the owner of the old one; one of anybody else is refused.`,
		Example: `  vault-tool rotate-key --in-place
  vault-tool init --key-file vault.key.new
  vault-tool rotate-key --key-file vault.key --new-key-file vault.key.new
  mv vault.key.new vault.key`,
		Args: noArgumentsBut("the new key is given with --new-key-file, and the present one with --key-file"),
		RunE: a.action(func(ctx context.Context, _ []string) error { return a.runRotateKey(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.newKeyFile, "new-key-file", "", "the key file to re-encrypt the vault with")
	flags.StringVar(&o.newAzureSecret, "new-akv-secret", "", "the Azure Key Vault secret with the key to re-encrypt the vault with")
	flags.BoolVar(&o.inPlace, "in-place", false, "generate a new key and put it in the place of the old one")
	flags.BoolVar(&o.discardOldKey, "discard-old-key", false, "keep no copy of the old key in KEY.old; nothing else opens earlier backups")
	flags.BoolVar(&o.keepOldKey, "keep-old-key", false, "keep the old key as KEY.old, which is done anyway")
	flags.BoolVar(&o.dropHistory, "drop-history", false, "leave the earlier values of all secrets out")
	a.addIfMatch(cmd)
	_ = flags.MarkHidden("keep-old-key") // fails for an unknown flag only
	cmd.MarkFlagsOneRequired("new-key-file", "new-akv-secret", "in-place")
	cmd.MarkFlagsMutuallyExclusive("new-key-file", "new-akv-secret", "in-place")
	cmd.MarkFlagsMutuallyExclusive("new-akv-secret", "keep-old-key")
	cmd.MarkFlagsMutuallyExclusive("new-akv-secret", "discard-old-key")
	cmd.MarkFlagsMutuallyExclusive("keep-old-key", "discard-old-key")
	completeFiles(cmd, "new-key-file")
	return cmd
}

func (a *app) runRotateKey(ctx context.Context, o rotateOptions) error {
	a.interrupts.catch()
	o.newKeyFile = orStdin(o.newKeyFile)
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
		err = a.rotateToFile(ctx, o, &s)
	}
	if err != nil {
		return err
	}
	s.Rekeyed, s.ETag = s.written.Outcome != vaultfile.Unchanged, s.written.ETag
	a.noteRotation(o, s)
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

// rotateToFile moves the vault to the key in another file, which somebody puts in the place of the old one then. The old key is copied
// at the end, while it stands: nothing else would keep it.
func (a *app) rotateToFile(ctx context.Context, o rotateOptions, s *rotateSummary) (err error) {
	s.written, err = a.rekey(ctx, o.newKeyFile, a.newKeyFile(o.newKeyFile), vaultfile.RekeyOptions{
		WriteOptions: a.writeOptions("rotate-key"), DropHistory: o.dropHistory,
		Finish: func() error {
			if !o.discardOldKey {
				s.OldKeyFile = a.keepOldKey()
			}
			return nil
		},
	})
	if errors.Is(err, vaultfile.ErrSameKey) {
		names := a.keyName()
		if names != o.newKeyFile {
			names += " and " + o.newKeyFile
		}
		err = fmt.Errorf("%s: %w", names, err)
	}
	return err
}

// keepOldKey copies the key to KEY.old, and returns where it is. A key that is no file in a directory that can be written stands where it
// stands; then it is "".
func (a *app) keepOldKey() string {
	if a.azureURL() != "" {
		return ""
	}
	path, err := replaceableKey(a.keyPath())
	if err != nil {
		return ""
	}
	kept, err := durable.Keep(path, oldKeySuffix, oldKeyMode)
	if err != nil {
		a.warn("no copy of %s was made: %v; make one before another key takes its place", a.keyPath(), err)
		return ""
	}
	return kept
}

func (a *app) noteRotation(o rotateOptions, s rotateSummary) {
	if s.Rekeyed {
		a.note("re-encrypted %s with a new key", s.VaultFile)
	} else {
		a.note("%s was re-encrypted with the new key by an earlier run", s.VaultFile)
	}
	if s.written.DropKeys > 0 {
		a.note("Whoever had the old key and a copy of the vault can still open drops. To end that: vault-tool drop-key --rotate.")
	}
	switch {
	case s.AzureSecret != "":
		a.note("Next: name that secret with --akv-secret or %s, restart what reads the vault, and back up the new key.", azureSecretEnv)
	case !o.inPlace && a.azureURL() != "":
		a.note("Next: use --key-file %s, or store it in Azure Key Vault; restart what reads the vault, and back up the new key.", s.KeyFile)
	case !o.inPlace:
		a.noteMove(o, s)
	case s.OldKeyFile != "":
		a.note("%s is the new key; back it up.", s.KeyFile)
		a.noteOldKey(s.OldKeyFile)
	default:
		a.note("%s is the new key; back it up. No copy of the old one was kept: earlier backups of the vault need it.", s.KeyFile)
	}
}

func (a *app) noteOldKey(path string) {
	a.note("%s is the old key: earlier backups, and other vaults of that key, need it. Remove it when none is left.", path)
}

// noteMove says what to do with a new key file, and how readers fare until then.
func (a *app) noteMove(o rotateOptions, s rotateSummary) {
	newKey := s.KeyFile
	move := fmt.Sprintf("mv %s %s", shellWord(newKey), shellWord(a.keyPath()))
	if s.OldKeyFile == "" && !o.discardOldKey {
		move += " (keep a copy of the old key for earlier backups first)"
	}
	info, err := os.Stat(newKey)
	switch {
	case descriptor.Named(newKey) || descriptor.Named(a.keyPath()) || err == nil && !info.Mode().IsRegular(): // a pipe
		a.note("Readers fail from now on, until they have the new key.")
	case a.isSuccessor(newKey):
		a.note("Next: %s. Until then readers use %s.", move, newKey)
	default:
		a.note("Readers fail from now on, until the new key is in its place: %s.", move)
	}
	if s.OldKeyFile != "" {
		a.noteOldKey(s.OldKeyFile)
	}
	a.note("Back up the new key.")
}

// isSuccessor tells whether readers that have the old key's path find a new key too.
func (a *app) isSuccessor(newKey string) bool {
	info, err := os.Stat(newKey)
	if err != nil {
		return false
	}
	paths := []string{a.keyPath()}
	if target, err := durable.Resolve(a.keyPath()); err == nil {
		paths = append(paths, target)
	}
	return slices.ContainsFunc(paths, func(path string) bool {
		found, err := os.Stat(path + keysource.SuccessorSuffix)
		return err == nil && os.SameFile(found, info)
	})
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
	s.written, err = a.rekey(ctx, "", key, vaultfile.RekeyOptions{WriteOptions: a.writeOptions("rotate-key"), DropHistory: o.dropHistory})
	if errors.Is(err, vaultfile.ErrSameKey) {
		err = badInput("store another key in the new secret", "%s and %s: %w", a.keyName(), s.AzureSecret, err)
	}
	return err
}

// rekey moves the vault from the key of the command line to newSource, which it closes. newPath is
// the path of the new key, if it is a file.
func (a *app) rekey(ctx context.Context, newPath string, newSource vaultKey, o vaultfile.RekeyOptions) (vaultfile.Written, error) {
	defer newSource.Close()
	oldSource, err := a.vaultKey()
	if err != nil {
		return vaultfile.Written{}, err
	}
	defer oldSource.Close()
	askTogether(oldSource, newSource)
	for _, key := range []string{a.keyPath(), newPath} {
		// A vault serves as a passphrase, but would be gone with its replacement.
		if err := refuseSameFile(a.vaultPath(), key); err != nil {
			return vaultfile.Written{}, err
		}
	}
	oldKey, newKey := a.newUnlocker(oldSource), a.newUnlocker(newSource)
	defer oldKey.Close()
	defer newKey.Close()
	written, err := vaultfile.Rekey(ctx, a.vaultPath(), oldKey, newKey, o)
	var behind *vaultfile.RekeyedError
	if errors.As(err, &behind) {
		return written, a.halfRotated(newPath, err)
	}
	return written, leftUnchanged(a.nameKey(ctx, oldSource, err))
}

// halfRotated is the failure of a rotation whose vault is under the new key already.
func (a *app) halfRotated(newPath string, err error) error {
	stands := "the vault is under the new key now"
	if _, missing := os.Lstat(newPath); newPath != "" && missing == nil && !descriptor.Named(newPath) {
		stands = fmt.Sprintf("the vault is under %s now; do not remove %s", newPath, newPath)
	}
	if errors.Is(err, vaultfile.ErrUnconfirmed) {
		stands += "; a power cut may still undo it, so keep both keys and check the disk"
	}
	return &failure{code: exitFailed, kind: kindUnfinished, err: err, hint: stands + "; run the command again to finish"}
}

// rotateInPlace goes from (KEY old, vault old) over (KEY.new, vault old) and (KEY.new, vault new) to
// (KEY new, vault new), with the old key in KEY.old from before the first of these. Each step is durable before
// the next begins, all of them happen under the vault's lock, and each state is one from which this function goes
// on. Readers find a key that opens the vault in every one of them.
func (a *app) rotateInPlace(ctx context.Context, o rotateOptions, s *rotateSummary) error {
	keyPath, err := replaceableKey(a.keyPath())
	if err != nil {
		return leftUnchanged(err)
	}
	s.KeyFile = a.keyPath()
	successor := keyPath + keysource.SuccessorSuffix
	draft, err := keysource.Draw()
	if err != nil {
		return err
	}
	newKey := drawnKey{a.newKeyFile(successor), draft}
	s.written, err = a.rekey(ctx, successor, newKey, vaultfile.RekeyOptions{
		WriteOptions: a.writeOptions("rotate-key"), DropHistory: o.dropHistory,
		Prepare: func() (err error) {
			_ = durable.Sweep(keyPath + oldKeySuffix) // a killed run may have left a key
			left, err := a.leftByEarlierRun(ctx, successor, newKey)
			if err != nil {
				return err
			}
			if !o.discardOldKey {
				// Before the vault is touched, so that the last step is one rename.
				if s.OldKeyFile, err = durable.Keep(keyPath, oldKeySuffix, oldKeyMode); err != nil {
					return err
				}
			}
			if left {
				a.note("going on with the key in %s, left by an earlier run", successor)
				return nil
			}
			return draft.WriteSuccessor(keyPath)
		},
		Finish: func() error { return durable.Rename(successor, keyPath) },
	})
	if errors.Is(err, vaultfile.ErrSameKey) {
		return badInput("remove "+successor+" and run the command again", "%s and %s are the same key", successor, a.keyPath())
	}
	return err
}

// drawnKey is the new key of a rotation in place: that of an earlier run in KEY.new, or one that is going to be written there.
type drawnKey struct {
	keyFile
	draft *keysource.Draft
}

func (k drawnKey) Passphrase(ctx context.Context, use func([]byte) error) error {
	if info, err := os.Lstat(k.String()); err == nil && !info.Mode().IsRegular() { // a pipe would be waited for; Prepare refuses it
		return fmt.Errorf("%s: %w", k, vaultfile.ErrNotRegular)
	}
	err := k.keyFile.Passphrase(ctx, use)
	if errors.Is(err, keysource.ErrStat) && errors.Is(err, fs.ErrNotExist) {
		return k.draft.Passphrase(ctx, use)
	}
	return err
}

func (k drawnKey) Close() {
	k.keyFile.Close()
	k.draft.Close()
}

// leftByEarlierRun tells whether there is a new key already, and refuses what no earlier run can have left.
func (a *app) leftByEarlierRun(ctx context.Context, path string, newKey vaultKey) (bool, error) {
	_ = durable.Sweep(path) // nothing else would remove the temporary file of a killed run, where this one goes on
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular(): // it could not be renamed
		return false, badInput(nothingChanged+"; move it away and run the command again", "%s is not a regular file", path)
	}
	return true, newKey.Passphrase(ctx, func([]byte) error { return nil })
}

// newKeyFile is the source of a new key, which is not of somebody else: in a directory that others may write to,
// anybody can put a key there that he knows, and would have the vault re-encrypted with it.
func (a *app) newKeyFile(path string) keyFile {
	old := a.keyPath()
	if a.azureURL() != "" {
		old = ""
	}
	return keyFile{keysource.NewReplacement(path, old), a}
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
