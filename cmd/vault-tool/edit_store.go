package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/mazevault/vault-tool/internal/editing"
	"github.com/mazevault/vault-tool/internal/merging"
	"github.com/mazevault/vault-tool/vaultfile"
)

// conflictError tells that both, who edited and somebody else, changed the same names.
type conflictError struct {
	names  []string
	merged map[string][]byte // what was edited, and what else changed in the vault
	their  []editing.Secret  // the vault's values of the names, without those that it does not have any more
}

func (c *conflictError) Error() string {
	return "changed in the vault meanwhile, and here too: " + join(c.names)
}

func (c *conflictError) notes() []string {
	return []string{c.Error(), "decide below what counts, and remove these lines; then that is stored"}
}

// store changes in the vault what was changed in the text since base. Names that somebody else has changed the other way are a conflictError;
// then base is the vault as it is now, so that what is stored next counts.
func (e *edit) store(ctx context.Context, u *vaultfile.Unlocker, edited map[string][]byte) error {
	s := editSummary{VaultFile: e.vaultPath(), Added: []string{}, Changed: []string{}, Removed: []string{}}
	update := vaultfile.UpdateOptions{WriteOptions: e.writeOptions("edit")}
	written, err := vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) error { return e.merge(d, edited, &s) })
	if err != nil {
		return err
	}
	s.ETag = written.ETag
	if e.json {
		return e.printJSON(s)
	}
	var out bytes.Buffer
	group(&out, s.Added, "added to "+printable(s.VaultFile))
	group(&out, s.Changed, "changed in "+printable(s.VaultFile))
	group(&out, s.Removed, "removed from "+printable(s.VaultFile))
	if out.Len() == 0 {
		fmt.Fprintf(&out, "%s has these changes already\n", printable(s.VaultFile))
	}
	if err := e.tellReport(out.Bytes(), false); err != nil {
		return err
	}
	e.noteHistory(written, "the old values are kept: vault-tool history NAME")
	return nil
}

// merge puts the changes since base into the draft, by name.
func (e *edit) merge(d *vaultfile.Draft, edited map[string][]byte, s *editSummary) error {
	merged, err := merging.ByName(formerSecrets(e.base), e.scope.Of(d), formerSecrets(edited))
	switch {
	case err != nil:
		return err
	case len(merged.Conflicts) > 0:
		return e.conflict(d, edited, merged.Conflicts)
	}
	for _, name := range slices.Concat(merged.Take, merged.Remove) {
		value, is := edited[name]
		if err := setEdited(d, e.scope.Name(name), name, value, is, s); err != nil {
			return err
		}
	}
	return nil
}

func setEdited(d *vaultfile.Draft, full, name string, value []byte, is bool, s *editSummary) error {
	if !is {
		s.Removed = append(s.Removed, name)
		return d.Delete(full)
	}
	outcome, err := d.Set(full, value)
	if outcome == vaultfile.Added {
		s.Added = append(s.Added, name)
	} else {
		s.Changed = append(s.Changed, name)
	}
	return err
}

// conflict makes the vault as it is now the base, and returns the error with the text's secrets and the vault's other changes.
func (e *edit) conflict(d *vaultfile.Draft, edited map[string][]byte, conflicts []string) error {
	before := e.base
	theirs := e.scope.Of(d.Before())
	names := theirs.Names()
	if e.options.name != "" {
		names = slices.DeleteFunc(names, func(name string) bool { return name != e.options.name })
	}
	if err := e.setBase(names, theirs.Use); err != nil {
		return err
	}
	merged := make(map[string][]byte, len(edited))
	for name, value := range edited {
		var err error
		if merged[name], err = e.memory.Copy(value); err != nil {
			return err
		}
	}
	for name, value := range e.base { // what they have changed, and the text has not
		old, was := before[name]
		now, is := edited[name]
		if was == is && bytes.Equal(old, now) {
			merged[name] = value
		}
	}
	for name, old := range before { // what they have removed, and the text has not changed
		if _, there := e.base[name]; !there && bytes.Equal(edited[name], old) {
			delete(merged, name)
		}
	}
	their := []editing.Secret{}
	for _, name := range conflicts {
		if value, there := e.base[name]; there {
			their = append(their, editing.Secret{Name: name, Value: value})
		}
	}
	return &conflictError{conflicts, merged, their}
}
