package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/beside"
	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/inventory"
	"github.com/mazevault/vault-tool/internal/owner"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// inspection is what inspect tells of a vault.
type inspection struct {
	VaultFile       string         `json:"vault_file"`
	Format          string         `json:"format"`
	Size            int64          `json:"size"`
	SaltFingerprint string         `json:"salt_fingerprint"`
	ETag            string         `json:"etag"`
	Modified        string         `json:"modified"`
	Owner           *string        `json:"owner"` // null where files have none; likewise
	Group           *string        `json:"group"`
	Mode            string         `json:"mode"`
	Target          string         `json:"target,omitempty"` // behind symbolic links
	Beside          []besideFile   `json:"beside"`
	Key             inspectedKey   `json:"key"`
	Content         *vaultContents `json:"content"` // null where the key does not open it
}

type besideFile struct {
	File     string      `json:"file"`
	Kind     beside.Kind `json:"kind"`
	Size     int64       `json:"size"`
	Modified string      `json:"modified"`
}

// inspectedKey is what became of the key. Problem says why it did not open the vault, "" where it did.
type inspectedKey struct {
	Source  string `json:"source"`
	Opens   bool   `json:"opens"`
	Problem string `json:"problem"`
}

type vaultContents struct {
	Secrets    int                `json:"secrets"`
	Scopes     []string           `json:"scopes"`
	Versions   int                `json:"versions"`
	Kept       int                `json:"kept"`
	Keep       int                `json:"keep"`
	MaxBytes   int64              `json:"max_bytes"`
	References int                `json:"references"`
	Stores     int                `json:"stores"`
	DropKeys   []inspectedDropKey `json:"drop_keys"`
	NotAllowed []string           `json:"names_not_allowed"`
	Unknown    []string           `json:"unknown_entries"`
}

type inspectedDropKey struct {
	Fingerprint string  `json:"fingerprint"`
	Created     string  `json:"created"`
	Replaced    *string `json:"replaced"` // null for the present one
}

func newInspectCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect [FILE]",
		Short: "Say what a file is, and what stands beside it",
		Long: `Say what is to be seen of a vault without its key: the format, the size, a fingerprint of the salt (that of a vault
and its backups is the same until the key is rotated), the ETag, when it was written, whose it is, its mode,
and which files of the tool stand beside it. FILE is the vault of the command line if it is not given.

With the key also how much is in it: secrets, scopes, versions, the bounds of the history, keys for drops,
and names that are not allowed any more, which no other command shows. A key that is missing, or not the
right one, is no error here. A key in Azure Key Vault is fetched only if --akv-url is given.

With --quiet nothing is printed but an error, and no key is read: the exit code is 0 for a vault, 3 for a missing file
and 4 for one that is no vault, or was cut short.`,
		Example: "  vault-tool inspect\n  vault-tool inspect /backup/secrets.vault.20260419T120000Z\n  vault-tool inspect --quiet secrets.vault || exit 1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("give one file, or none (%d arguments were given)", len(args))
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: a.flushedAction(a.runInspect),
	}
}

func (a *app) runInspect(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if a.vaultFlag != "" {
			return badInput("give FILE or --vault-file", "the vault is given twice")
		}
		a.vaultFlag = args[0]
	}
	if a.quiet {
		_, err := vaultfile.Identify(a.vaultPath())
		return a.noVault(err)
	}
	i, err := a.lookAtVault()
	if err != nil {
		return a.noVault(err)
	}
	if i.Beside, err = a.besideVault(); err != nil {
		return err
	}
	if i.Key, i.Content, err = a.lookInside(ctx); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(i)
	}
	return a.print(i.text())
}

// noVault tells of what is no regular file that it is no vault either: a hook asks only whether there is one.
func (a *app) noVault(err error) error {
	if errors.Is(err, vaultfile.ErrNotRegular) {
		return &failure{code: exitCannotOpen, kind: "not_a_vault", err: err, hint: "a vault is a regular file"}
	}
	return a.nameDefaults(err)
}

// lookAtVault tells what is to be seen of the file without its key: all of one file, though it be replaced meanwhile.
func (a *app) lookAtVault() (inspection, error) {
	const most = 5 // a vault that is written without a pause can be told with the parts of two
	path := a.vaultPath()
	for try := 1; ; try++ {
		id, err := vaultfile.Identify(path)
		if err != nil {
			return inspection{}, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return inspection{}, err
		}
		etag, err := vaultfile.ETag(path)
		if err != nil {
			return inspection{}, err
		}
		if again, err := vaultfile.Identify(path); err == nil && again != id && try < most {
			continue
		}
		i := inspection{
			VaultFile: path, Format: "MVT1", Size: info.Size(), SaltFingerprint: id.SaltFingerprint(), ETag: etag,
			Modified: info.ModTime().UTC().Format(time.RFC3339), Mode: fmt.Sprintf("%04o", info.Mode().Perm()),
		}
		if o, ok := owner.Of(info); ok {
			user, group := owner.User(o.UID), owner.Group(o.GID)
			i.Owner, i.Group = &user, &group
		}
		i.Target = linkTarget(path)
		return i, nil
	}
}

// besideVault lists the files beside the vault and its key.
func (a *app) besideVault() ([]besideFile, error) {
	key := a.keyPath()
	if a.azureURL() != "" || descriptor.Named(key) {
		key = ""
	}
	files, err := beside.List(a.vaultPath(), key)
	if errors.Is(err, fs.ErrPermission) {
		a.note("what stands beside is not known: %v", err)
	} else if err != nil {
		return nil, err
	}
	shown := make([]besideFile, len(files))
	for i, f := range files {
		shown[i] = besideFile{f.Path, f.Kind, f.Info.Size(), f.Info.ModTime().UTC().Format(time.RFC3339)}
	}
	return shown, nil
}

// lookInside counts what is in the vault, if the key opens it.
func (a *app) lookInside(ctx context.Context) (inspectedKey, *vaultContents, error) {
	key := inspectedKey{Source: a.keyName()}
	if a.azureURL() != "" && a.azure.url == "" {
		key.Problem = "it was not fetched; give --akv-url for that"
		return key, nil, nil
	}
	var content *vaultContents
	err := a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		v, err := vaultfile.OpenHistory(ctx, a.vaultPath(), u)
		if err != nil {
			return err
		}
		defer v.Close()
		pause("open")
		i, err := inventory.Of(v)
		if err == nil {
			content = contentsOf(i)
		}
		return err
	})
	var usage *failure
	switch {
	case err == nil:
		key.Opens = true
	case ctx.Err() != nil || errors.As(err, &usage) && usage.code == exitUsage:
		return key, nil, err
	case errors.Is(err, vaultfile.ErrPayload): // the key is right
		key.Opens = true
		key.Problem = err.Error()
	default:
		key.Problem = keyProblem(err)
	}
	return key, content, nil
}

// keyProblem says in a few words why a key does not open a vault.
func keyProblem(err error) string {
	switch {
	case errors.Is(err, vaultfile.ErrDecryption):
		return "it does not open the vault, or the vault is damaged"
	case errors.Is(err, keysource.ErrStat) && errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	}
	return err.Error()
}

func contentsOf(i inventory.Inventory) *vaultContents {
	c := &vaultContents{
		Secrets: i.Secrets, Scopes: orEmpty(i.Scopes), Versions: i.Versions, Kept: i.Kept, Keep: i.History.Keep, MaxBytes: i.History.MaxBytes,
		References: i.References, Stores: i.Connections,
		DropKeys: []inspectedDropKey{}, NotAllowed: orEmpty(i.NotAllowed), Unknown: orEmpty(i.Unknown),
	}
	for _, k := range i.DropKeys {
		c.DropKeys = append(c.DropKeys, inspectedDropKey{k.Fingerprint, k.Created.UTC().Format(time.RFC3339), timeJSON(k.Replaced)})
	}
	return c
}
