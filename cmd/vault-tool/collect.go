package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/drop"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/reserved"
	"github.com/mazevault/vault-tool/vaultfile"
)

type collectOptions struct {
	force  bool
	dryRun bool
}

type collectSummary struct {
	VaultFile    string   `json:"vault_file"`
	DryRun       bool     `json:"dry_run"`
	Added        []string `json:"added"`
	Changed      []string `json:"changed"`
	Unchanged    []string `json:"unchanged"`
	Before       []string `json:"collected_before"`
	Fingerprints []string `json:"fingerprints"` // of the keys that the drops were sealed to
	ETag         string   `json:"etag,omitempty"`

	written vaultfile.Written
}

// maxDropBytes bounds a file of drops: one with the largest value, in Base64.
const maxDropBytes = 2 * vaultfile.MaxValueBytes

func newCollectCommand(a *app) *cobra.Command {
	var o collectOptions
	cmd := &cobra.Command{
		Use:   "collect DROP…",
		Short: "Add sealed secrets to the vault, all of them or none",
		Long: `Open drops, which seal made, and add their secrets to the vault, all of them or none. A file may hold several;
- is standard input. A drop that was collected before is left out.

A drop does not prove who made it, so where the vault has another value nothing is changed, unless --force
says that the drops count. Then the value until now stays in the history.`,
		Example: "  vault-tool collect stripe.drop\n  vault-tool collect --dry-run drops/*",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("give the files with the drops; - is standard input")
			}
			return nil
		},
	}
	cmd.RunE = a.flushedAction(func(ctx context.Context, args []string) error { return a.runCollect(ctx, o, args) })
	cmd.Flags().BoolVar(&o.force, "force", false, "where the vault has another value, the drop's counts")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only report what would be done")
	a.addIfMatch(cmd)
	return cmd
}

// readDrop is a drop with the file it came from.
type readDrop struct {
	*drop.Drop
	file string
}

func (a *app) runCollect(ctx context.Context, o collectOptions, files []string) error {
	drops, err := a.readDrops(ctx, files)
	if err != nil {
		return err
	}
	s := collectSummary{
		VaultFile: a.vaultPath(), DryRun: o.dryRun,
		Added: []string{}, Changed: []string{}, Unchanged: []string{}, Before: []string{}, Fingerprints: []string{},
	}
	change := func(d *vaultfile.Draft) error { return s.collect(d, drops, o.force) }
	err = a.withUnlocker(ctx, func(u *vaultfile.Unlocker) (err error) {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("collect")}
		if o.dryRun {
			return vaultfile.Rehearse(ctx, s.VaultFile, u, update, change)
		}
		s.written, err = vaultfile.Update(ctx, s.VaultFile, u, update, change)
		return err
	})
	if err != nil {
		return leftUnchanged(err)
	}
	s.ETag = s.written.ETag
	return a.reportCollect(s)
}

func (a *app) readDrops(ctx context.Context, files []string) ([]readDrop, error) {
	var drops []readDrop
	for _, file := range files {
		text, err := a.readFile(ctx, file, "drop", maxDropBytes)
		if err != nil {
			return nil, err
		}
		read, err := drop.Parse(text.Bytes())
		text.Destroy()
		if err != nil {
			return nil, badInput("nothing was changed; give the whole text that vault-tool seal wrote", "%s: %w", inputName(file), err)
		}
		for _, d := range read {
			if err := checkName(d.Name); err != nil {
				return nil, fmt.Errorf("%s: %w", inputName(file), err)
			}
			drops = append(drops, readDrop{d, inputName(file)})
		}
	}
	return drops, nil
}

// collect opens the drops and sets their secrets.
func (s *collectSummary) collect(d *vaultfile.Draft, drops []readDrop, force bool) error {
	keys, err := readDropKeys(d, time.Now())
	if err != nil {
		return err
	}
	defer keys.memory.Destroy()
	var values lockedmem.Arena
	defer values.Destroy()
	seen := make(map[string][]byte) // by name
	used := make(map[reserved.Name]bool)
	var differing []string
	for _, sealed := range drops {
		entryName := reserved.Drop(sealed.KeyID)
		entry := keys.entries[entryName]
		if entry == nil {
			return s.noKey(sealed, len(keys.entries))
		}
		if slices.Contains(entry.Collected, sealed.ID) {
			s.Before = append(s.Before, sealed.Name)
			continue
		}
		value, err := s.open(sealed, entry, &values)
		if err != nil {
			return err
		}
		other, twice := seen[sealed.Name]
		if twice && !bytes.Equal(other, value) {
			return conflict(nothingChanged+"; collect the one that counts, and leave the other out", "two drops have different values for %s", sealed.Name)
		}
		seen[sealed.Name] = value
		entry.Collected = append(entry.Collected, sealed.ID)
		used[entryName] = true
		if twice {
			continue
		}
		if same, there := holds(d, sealed.Name, value); there && !same && !force {
			differing = append(differing, sealed.Name)
			continue
		}
		if err := s.set(d, sealed.Name, value); err != nil {
			return err
		}
	}
	if len(differing) > 0 {
		return conflict(nothingChanged+"; a drop does not prove who made it: say --force if the drops count", "%s holds other values than the drops: %s", s.VaultFile, join(differing))
	}
	for name := range used {
		if err := keys.set(d, name, keys.entries[name]); err != nil {
			return err
		}
	}
	return nil
}

func (s *collectSummary) set(d *vaultfile.Draft, name string, value []byte) error {
	outcome, err := d.Set(name, value)
	switch {
	case err != nil:
		return err
	case outcome == vaultfile.Added:
		s.Added = append(s.Added, name)
	case outcome == vaultfile.Updated:
		s.Changed = append(s.Changed, name)
	default:
		s.Unchanged = append(s.Unchanged, name)
	}
	return nil
}

// open returns the value of a drop in the arena's memory.
func (s *collectSummary) open(sealed readDrop, entry *drop.Entry, memory *lockedmem.Arena) ([]byte, error) {
	key, err := entry.Key()
	if err != nil {
		return nil, err
	}
	plain, err := sealed.Open(key)
	if err != nil {
		return nil, &failure{code: exitCannotOpen, err: fmt.Errorf("%s: %w (for %s)", sealed.file, err, sealed.Name),
			hint: nothingChanged + "; the drop is damaged or was tampered with: ask for it again"}
	}
	defer clear(plain)
	if fingerprint := key.Public.Fingerprint(); !slices.Contains(s.Fingerprints, fingerprint) {
		s.Fingerprints = append(s.Fingerprints, fingerprint)
	}
	return memory.Copy(plain)
}

// noKey is the failure for a drop whose key the vault does not have.
func (s *collectSummary) noKey(sealed readDrop, keys int) error {
	if keys == 0 {
		return &failure{code: exitNotFound, err: fmt.Errorf("%s: %w", s.VaultFile, errNoDropKey), hint: "make one with: vault-tool drop-key; what was sealed before cannot be opened"}
	}
	return &failure{code: exitCannotOpen, err: fmt.Errorf("%s: the drop for %s is sealed to a key that %s does not have", sealed.file, sealed.Name, s.VaultFile),
		hint: nothingChanged + "; it is for another vault, or its key was replaced more than 30 days ago or removed: have it sealed again"}
}

func (a *app) reportCollect(s collectSummary) error {
	if a.json {
		return a.printJSON(s)
	}
	var out bytes.Buffer
	would := ""
	if s.DryRun {
		would = "would be "
	}
	vault := printable(s.VaultFile)
	group(&out, s.Added, would+"added to "+vault)
	group(&out, s.Changed, would+"changed in "+vault)
	group(&out, s.Unchanged, "unchanged, the vault has the value already")
	group(&out, s.Before, "left out, collected before")
	for _, fingerprint := range s.Fingerprints {
		fmt.Fprintf(&out, "sealed to the key with fingerprint %s\n", fingerprint)
	}
	if err := a.tellReport(out.Bytes(), s.DryRun); err != nil || s.DryRun {
		return err
	}
	a.noteHistory(s.written, "the old values are kept: vault-tool history NAME")
	return nil
}
