package vaultfile

import (
	"context"
	"fmt"

	"github.com/mazevault/vault-tool/internal/drop"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/merging"
	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// MergeSide is a vault that was opened with [OpenHistory], and the unlocker that did it.
type MergeSide struct {
	Vault    *Vault
	Unlocker *Unlocker
}

// Merged is what [Merge] has made.
type Merged struct {
	Written
	Taken       []string          // secrets that got theirs' value
	Removed     []string          // secrets that were removed in theirs, and so here
	Conflicts   []string          // secrets that both have changed, otherwise; they are as they were here
	Theirs      map[string]uint64 // the versions that have theirs' values of the conflicts, as far as the history keeps them
	Unmerged    []string          // what belongs to the tool and both have changed, otherwise; likewise
	TheirKey    bool              // the vault is under theirs' key now, which was changed there
	KeyConflict bool              // the key was changed in both; the vault is under the one that it had
}

// Merge makes the changes from base to theirs in the vault at path as well. Secrets are merged by name; a conflict is no error. Of the histories, what
// is common stands once, then what is ours, then what is theirs, with numbers behind ours. Where theirs alone was given another key, the vault
// gets that one too.
//
// The file at path is the caller's alone: no lock is taken, and no lock file is made beside it. base may be nil, for a vault that both have made. Both
// vaults stay open until Merge returns. An error means that the file is as it was.
func Merge(ctx context.Context, path string, ours *Unlocker, base *Vault, theirs MergeSide, o WriteOptions) (Merged, error) {
	target, err := durable.Resolve(path)
	if err != nil {
		return Merged{}, err
	}
	_ = durable.Sweep(target) // what it cannot remove does not stand in the way
	s := &session{options: o, target: target, u: ours}
	old, k, err := s.openVault(ctx)
	if err != nil {
		return Merged{}, err
	}
	defer func() { ours.release(k) }()
	defer old.Close()
	id := old.id
	draft := newDraft(old)
	defer draft.close()
	m, err := draft.merge(base, theirs.Vault)
	if err != nil {
		return Merged{}, err
	}
	if m.History, err = draft.recordHistory(o); err != nil {
		return Merged{}, err
	}
	m.Unmerged = append(m.Unmerged, draft.past.merge.unmerged...)
	m.Theirs = draft.past.merge.kept
	sealer := k
	if m.TheirKey {
		if sealer, err = theirs.key(ctx); err != nil {
			return Merged{}, err
		}
		defer theirs.Unlocker.release(sealer)
	}
	m.Outcome = Updated
	m.ETag, err = s.replace(ctx, draft, sealer, checkIs(id))
	return m, err
}

// key is the key of the vault. The caller releases it.
func (m MergeSide) key(ctx context.Context) (*derivedKey, error) {
	k, err := m.Unlocker.remembered(ctx, m.Vault.id.salt)
	if err == nil && k == nil {
		err = fmt.Errorf("vault: internal error: the key that opened a vault is forgotten")
	}
	return k, err
}

// noSecrets are those of no vault.
type noSecrets struct{}

func (noSecrets) Names() []string { return nil }

func (noSecrets) Use(name string, _ func([]byte) error) error {
	return fmt.Errorf("%w: %s", ErrNotFound, name)
}

// merge puts what was changed from base to theirs into the draft.
func (d *Draft) merge(base, theirs *Vault) (Merged, error) {
	var before merging.Secrets = noSecrets{}
	if base != nil {
		before = base
	}
	r, err := merging.ByName(before, d.base, theirs)
	if err != nil {
		return Merged{}, err
	}
	m := Merged{Taken: r.Take, Removed: r.Remove, Conflicts: r.Conflicts}
	for _, name := range r.Take {
		err := theirs.Use(name, func(value []byte) error {
			_, err := d.Set(name, value)
			return err
		})
		if err != nil {
			return Merged{}, err
		}
	}
	for _, name := range r.Remove {
		if err := d.Delete(name); err != nil {
			return Merged{}, err
		}
	}
	if m.Unmerged, err = d.mergeEntries(base, theirs); err != nil {
		return Merged{}, err
	}
	d.past.merge = &merge{base: base, theirs: theirs, conflicts: r.Conflicts, kept: make(map[string]uint64)}
	ours := d.base.id
	switch {
	case theirs.id.SameSalt(ours):
	case base != nil && base.id.SameSalt(ours):
		m.TheirKey = true
	case base == nil || !base.id.SameSalt(theirs.id):
		m.KeyConflict = true
	}
	return m, nil
}

// toolEntries are the entries of a vault that belong to the tool and are merged as wholes.
type toolEntries struct{ *Vault }

func (e toolEntries) Names() []string {
	var names []string
	if e.Vault == nil {
		return nil
	}
	for _, name := range e.Reserved() {
		_, isRecord := reserved.IsHistory(string(name))
		_, isFolder := reserved.IsFolder(string(name))
		if !isRecord && !isFolder && name != reserved.Settings {
			names = append(names, string(name))
		}
	}
	return names
}

func (e toolEntries) Use(name string, f func([]byte) error) error {
	return e.UseReserved(reserved.Name(name), f)
}

// mergeEntries merges what belongs to the tool but is no part of the history. It returns the names of what both have changed.
func (d *Draft) mergeEntries(base, theirs *Vault) (conflicts []string, err error) {
	r, err := merging.ByName(toolEntries{base}, toolEntries{d.base}, toolEntries{theirs})
	if err != nil {
		return nil, err
	}
	for _, name := range r.Take {
		err := theirs.UseReserved(reserved.Name(name), func(value []byte) error { return d.SetReserved(reserved.Name(name), value) })
		if err != nil {
			return nil, err
		}
	}
	for _, name := range r.Remove {
		d.DeleteReserved(reserved.Name(name))
	}
	for _, name := range r.Conflicts {
		if !d.mergeEntry(theirs, name) {
			conflicts = append(conflicts, name)
		}
	}
	return conflicts, nil
}

// mergeEntry puts together what both have made of an entry, if that is possible.
func (d *Draft) mergeEntry(theirs *Vault, name string) (merged bool) {
	if secret, ok := reserved.IsReference(name); ok {
		// What is a reference on one side is one on both, or else its text would be a value where the history gives it back.
		return secret != "" && references.Merge(d, theirs, secret) == nil
	}
	if _, ok := reserved.IsDrop(name); !ok {
		return false
	}
	our, _ := d.base.findReserved(reserved.Name(name))
	their, _ := theirs.findReserved(reserved.Name(name))
	entry, err := drop.ParseEntry(our)
	other, otherErr := drop.ParseEntry(their)
	if err != nil || otherErr != nil || !entry.Merge(other) {
		return false
	}
	text, err := entry.Encode(&d.values)
	return err == nil && d.SetReserved(reserved.Name(name), text) == nil
}
