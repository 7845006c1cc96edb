package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/beside"
	"github.com/mazevault/vault-tool/internal/drop"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/reserved"
	"github.com/mazevault/vault-tool/vaultfile"
)

type dropKeyOptions struct {
	rotate bool
	remove bool
	show   bool
}

type dropKeySummary struct {
	VaultFile   string `json:"vault_file"`
	Fingerprint string `json:"fingerprint"`
	PublicKey   string `json:"public_key"`
	PublicFile  string `json:"public_file"`
	Removed     int    `json:"removed"` // keys that open nothing from now on
	ETag        string `json:"etag,omitempty"`
}

// dropKeySuffix is appended to a vault's path for the public half of its key for drops.
const dropKeySuffix = beside.DropKeySuffix

// dropKeyMode lets everybody read it.
const dropKeyMode fs.FileMode = 0o644

func newDropKeyCommand(a *app) *cobra.Command {
	var o dropKeyOptions
	cmd := &cobra.Command{
		Use:   "drop-key",
		Short: "Make a key with which others hand secrets in without reading any",
		Long: `Make a key pair for drops. The private half goes into the vault; the public half is printed, and written to
FILE.drop.pub. Whoever has it seals secrets with seal, which needs neither the vault nor its key, and
collect adds them to the vault. Give the public half away in a way in which nobody can exchange it, or
compare its fingerprint.

A vault has one key for drops. --rotate replaces it: the earlier one opens drops for 30 more days. --remove
ends all of them, and --show prints the public half again.`,
		Example: "  vault-tool drop-key\n  vault-tool drop-key --rotate",
		Args:    noArgumentsBut("the vault is given with --vault-file"),
	}
	cmd.RunE = a.flushedAction(func(ctx context.Context, _ []string) error { return a.runDropKey(ctx, o) })
	flags := cmd.Flags()
	flags.BoolVar(&o.rotate, "rotate", false, "replace the key; the earlier one opens drops for 30 more days")
	flags.BoolVar(&o.remove, "remove", false, "remove the key and all earlier ones: no drop can be collected any more")
	flags.BoolVar(&o.show, "show", false, "print the public half of the present key")
	cmd.MarkFlagsMutuallyExclusive("rotate", "remove", "show")
	a.addIfMatch(cmd)
	return cmd
}

func (a *app) runDropKey(ctx context.Context, o dropKeyOptions) error {
	s := dropKeySummary{VaultFile: a.vaultPath()}
	var public drop.PublicKey
	var written vaultfile.Written
	change := func(d *vaultfile.Draft) (err error) {
		k, err := readDropKeys(d, time.Now())
		if err != nil {
			return err
		}
		defer k.memory.Destroy()
		switch {
		case o.show:
			public, err = k.present()
		case o.remove:
			s.Removed = k.removeAll(d)
		default:
			_, missing := os.Lstat(s.VaultFile + dropKeySuffix)
			k.unpublished = errors.Is(missing, fs.ErrNotExist)
			public, err = k.add(d, o.rotate)
		}
		return err
	}
	err := a.withUnlocker(ctx, func(u *vaultfile.Unlocker) (err error) {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("drop-key")}
		if o.show {
			return vaultfile.Rehearse(ctx, s.VaultFile, u, update, change)
		}
		written, err = vaultfile.Update(ctx, s.VaultFile, u, update, change)
		return err
	})
	if err != nil {
		return leftUnchanged(err)
	}
	s.ETag = written.ETag
	if o.remove {
		return a.reportRemovedDropKeys(s)
	}
	s.Fingerprint, s.PublicKey = public.Fingerprint(), string(public.Text())
	if !o.show {
		s.PublicFile = s.VaultFile + dropKeySuffix
		if err := writeDropKey(s.PublicFile, public); err != nil {
			return &failure{code: describe(err).code, kind: kindUnfinished, err: err,
				hint: "the key is in the vault, but " + s.PublicFile + " is not written; run the command again to finish"}
		}
		a.note("%s has a key for drops; its public half is in %s", s.VaultFile, s.PublicFile)
	}
	a.note("fingerprint %s", s.Fingerprint)
	a.noteHistory(written, "")
	if a.json {
		return a.printJSON(s)
	}
	return a.print(public.Text())
}

func (a *app) reportRemovedDropKeys(s dropKeySummary) error {
	path := s.VaultFile + dropKeySuffix
	if text, err := readDropKeyFile(path); err == nil {
		if _, err := drop.ParsePublicKey(text); err == nil { // it is of no use to anybody now
			if err := os.Remove(path); err != nil {
				a.warn("the keys are removed, but not %s: %v", path, err)
			}
		}
	}
	a.note("removed %s for drops from %s; what was sealed to them cannot be collected", count(s.Removed, "key"), s.VaultFile)
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

// writeDropKey puts the public half where whoever seals finds it. A file of another kind is left alone.
func writeDropKey(path string, public drop.PublicKey) error {
	old, err := readDropKeyFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return durable.Create(path, public.Text(), durable.CreateOptions{Mode: dropKeyMode})
	case err != nil:
		return err
	}
	if _, err := drop.ParsePublicKey(old); err != nil {
		return conflict("move it away", "%s is in the way: %w", path, err)
	}
	return durable.Replace(path, public.Text(), durable.ReplaceOptions{})
}

// readDropKeyFile reads what stands where the public half goes. In a directory that others write to it may be anything, so that it is
// neither waited for nor read without bound.
func readDropKeyFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, durable.ErrNotRegular)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // opened for reading only
	return io.ReadAll(io.LimitReader(f, maxPublicKeyBytes))
}

// dropKeys are a vault's keys for drops.
type dropKeys struct {
	entries map[reserved.Name]*drop.Entry
	now     time.Time
	memory  lockedmem.Arena // of entries that are changed

	unpublished bool // no file has the public half: an earlier run was killed before it was written
}

// readDropKeys reads the keys, and removes those that have ended.
func readDropKeys(d *vaultfile.Draft, now time.Time) (*dropKeys, error) {
	k := &dropKeys{entries: make(map[reserved.Name]*drop.Entry), now: now}
	before := d.Before()
	if before == nil {
		return k, nil
	}
	for _, name := range before.Reserved() {
		if _, ok := reserved.IsDrop(string(name)); !ok {
			continue
		}
		err := before.UseReserved(name, func(value []byte) error {
			e, err := drop.ParseEntry(value)
			if err != nil {
				return nil // a later version's, which is left alone
			}
			if e.Ended(now) {
				d.DeleteReserved(name)
				return nil
			}
			k.entries[name] = e
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

// errNoDropKey: the vault has no key for drops.
var errNoDropKey = errors.New("the vault has no key for drops")

// present is the public half of the key that has not been replaced.
func (k *dropKeys) present() (drop.PublicKey, error) {
	for _, e := range k.entries {
		if e.Replaced == 0 {
			key, err := e.Key()
			return key.Public, err
		}
	}
	return drop.PublicKey{}, &failure{code: exitNotFound, err: errNoDropKey, hint: "make one with: vault-tool drop-key"}
}

func (k *dropKeys) removeAll(d *vaultfile.Draft) int {
	for name := range k.entries {
		d.DeleteReserved(name)
	}
	return len(k.entries)
}

// add makes a key. One that is there is replaced, or refused.
func (k *dropKeys) add(d *vaultfile.Draft, rotate bool) (drop.PublicKey, error) {
	for name, e := range k.entries {
		if e.Replaced != 0 {
			continue
		}
		if !rotate && k.unpublished {
			key, err := e.Key()
			return key.Public, err
		}
		if !rotate {
			return drop.PublicKey{}, existsAlready(nothingChanged+"; print its public half with --show, or replace it with --rotate", "the vault has a key for drops already")
		}
		e.Replaced = k.now.Unix()
		if err := k.set(d, name, e); err != nil {
			return drop.PublicKey{}, err
		}
	}
	key, err := drop.Generate()
	if err != nil {
		return drop.PublicKey{}, err
	}
	e, err := drop.NewEntry(key, k.now, &k.memory)
	if err != nil {
		return drop.PublicKey{}, err
	}
	return key.Public, k.set(d, reserved.Drop(key.Public.ID()), e)
}

func (k *dropKeys) set(d *vaultfile.Draft, name reserved.Name, e *drop.Entry) error {
	text, err := e.Encode(&k.memory)
	if err != nil {
		return err
	}
	if err := d.SetReserved(name, text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
