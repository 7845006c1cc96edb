package vaultfile

import (
	"fmt"
	"slices"

	"github.com/mazevault/vault-tool/internal/history"
	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// Before is the vault as it was before the draft changed anything, with its history; nil where there was none. It ends with the draft.
func (d *Draft) Before() *Vault {
	if d.isNew {
		return nil
	}
	return d.base
}

// SetHistory gives the vault's history other bounds. A Keep of 0 turns it off and erases all of it; another one turns it on, where it
// was off, with the secrets as they are now.
func (d *Draft) SetHistory(b HistoryBounds) {
	if d.Before() == nil || d.base.Keeps() != b {
		d.past.bounds = &b
	}
}

// Rename gives a secret another name. The old name keeps its versions and counts as removed; the history of the new one begins with the
// value, and says where it was. overwrite lets there be a secret of the new name, whose value is replaced. Errors wrap [ErrBadName],
// [ErrNotFound] or [ErrExists].
func (d *Draft) Rename(from, to string, overwrite bool) error {
	if err := d.Copy(from, to, overwrite); err != nil {
		return err
	}
	return d.Delete(from)
}

// Copy gives another secret the value of one, also as a reference to an external store. For the rest it is as Rename.
func (d *Draft) Copy(from, to string, overwrite bool) error {
	switch {
	case from == to:
		return fmt.Errorf("%w: %s", ErrExists, to)
	case !d.Has(from):
		return fmt.Errorf("%w: %s", ErrNotFound, from)
	case d.Has(to) && !overwrite:
		return fmt.Errorf("%w: %s", ErrExists, to)
	}
	err := d.Use(from, func(value []byte) error {
		_, err := d.Set(to, value)
		return err
	})
	if err != nil {
		return err
	}
	if d.past.from == nil {
		d.past.from = make(map[string]string)
	}
	d.past.from[to] = from
	return references.Copy(d, from, to)
}

// Destroy takes the values of a secret's versions away for good; without numbers those of all, the current one too, so that the
// secret is removed. The numbers stay. The error wraps [ErrNotFound] for a secret or a version that there is not, and [ErrNoHistory].
func (d *Draft) Destroy(name string, numbers ...uint64) error {
	if d.Before() == nil {
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	r, err := d.base.record(name)
	if err != nil {
		return err
	}
	all := len(numbers) == 0
	for _, n := range numbers {
		if v := r.Find(n); v == nil {
			return fmt.Errorf("%w: %s has no version %d", ErrNotFound, name, n)
		}
	}
	if last := r.Last(); last.State == history.Current && (all || slices.Contains(numbers, last.Number)) && d.Has(name) {
		if err := d.Delete(name); err != nil {
			return err
		}
	}
	if all {
		d.removeReserved(reserved.Reference(name))
	}
	holds := slices.ContainsFunc(r.Versions, func(v history.Version) bool {
		return (v.State == history.Kept || v.State == history.Current) && (all || slices.Contains(numbers, v.Number))
	})
	if !holds {
		return nil // destroyed already
	}
	if d.past.destroy == nil {
		d.past.destroy = make(map[string][]uint64)
	}
	if all {
		d.past.destroy[name] = nil
	} else {
		d.past.destroy[name] = append(d.past.destroy[name], numbers...)
	}
	return nil
}

// SetReserved sets an entry that belongs to the tool.
func (d *Draft) SetReserved(name reserved.Name, value []byte) error {
	return d.setReserved(name, value)
}

// DeleteReserved removes an entry that belongs to the tool, if there is one.
func (d *Draft) DeleteReserved(name reserved.Name) { d.removeReserved(name) }

// UseReserved calls f with an entry that belongs to the tool.
func (d *Draft) UseReserved(name reserved.Name, f func(value []byte) error) error {
	if c, ok := d.reserved[string(name)]; ok && !c.removed {
		return f(c.value)
	} else if ok || d.Before() == nil {
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return d.base.UseReserved(name, f)
}
