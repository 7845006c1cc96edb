package vaultfile

import (
	"fmt"

	"github.com/mazevault/vault-tool/internal/history"
	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// write puts records, folders and settings into the draft.
func (r *recorder) write() error {
	for name, rec := range r.records {
		if err := r.writeRecord(name, rec); err != nil {
			return err
		}
	}
	for path, f := range r.folders {
		entry := reserved.Folder(path)
		if err := r.draft.setReserved(entry, f.Encode(entry.IsLong())); err != nil {
			return err
		}
	}
	return r.writeSettings()
}

func (r *recorder) writeRecord(name string, rec *history.Record) error {
	entry := reserved.History(name)
	if len(rec.Versions) == 0 {
		r.draft.removeReserved(entry)
		return nil
	}
	r.settings.OldBytes += int64(rec.OldBytes())
	if isDeleted(rec) {
		r.settings.Deleted++
	}
	size := rec.Len(entry.IsLong())
	place, err := r.draft.values.Take(size)
	if err != nil {
		return err
	}
	text := rec.Append(place[:0], entry.IsLong())
	if len(text) != size || &text[0] != &place[0] {
		return fmt.Errorf("vault: internal error: record of %d bytes, computed %d", len(text), size)
	}
	r.draft.reserved[string(entry)] = change{value: text}
	return nil
}

func (r *recorder) writeSettings() error {
	text := r.settings.Encode()
	if text == nil {
		r.draft.removeReserved(reserved.Settings)
		return nil
	}
	return r.draft.setReserved(reserved.Settings, text)
}

// setReserved sets an entry that belongs to the tool.
func (d *Draft) setReserved(name reserved.Name, value []byte) error {
	if d.base != nil {
		if was, ok := d.base.findReserved(name); ok && string(was) == string(value) {
			delete(d.reserved, string(name))
			return nil
		}
	}
	stored, err := d.values.Copy(value)
	if err != nil {
		return err
	}
	d.reserved[string(name)] = change{value: stored}
	return nil
}

// removeReserved removes an entry that belongs to the tool, if it is there.
func (d *Draft) removeReserved(name reserved.Name) {
	delete(d.reserved, string(name))
	if d.base != nil {
		if _, ok := d.base.findReserved(name); ok {
			d.reserved[string(name)] = change{removed: true}
		}
	}
}

// dropReferences removes what says that a text is a reference, of secrets that have no such text any more and no history to give it back.
func (d *Draft) dropReferences() {
	before := d.Before()
	if before == nil || !references.Any(before) {
		return // nearly all vaults
	}
	for name := range d.changes {
		if text, err := references.Of(d, name); err == nil && text == "" {
			d.removeReserved(reserved.Reference(name))
		}
	}
}
