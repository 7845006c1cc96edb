// Package inventory counts what a vault holds, the history and the keys for drops included.
package inventory

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/mazevault/vault-tool/internal/connections"
	"github.com/mazevault/vault-tool/internal/drop"
	"github.com/mazevault/vault-tool/internal/gitdiff"
	"github.com/mazevault/vault-tool/internal/history"
	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/internal/reserved"
	"github.com/mazevault/vault-tool/vaultfile"
)

// Inventory is what a vault holds. No part of it is secret to who may read the names.
type Inventory struct {
	Secrets  int
	Scopes   []string // the paths of names, up to their last '/', sorted
	Versions int      // that the history has on record, of whatever secrets
	Kept     int      // of them, old values that can be had
	History  vaultfile.HistoryBounds
	DropKeys []DropKey // the present one first

	References  int // secrets whose value an external store holds
	Connections int // to external stores

	// NotAllowed are names of secrets that earlier versions of the tool allowed, and this one neither shows nor delivers.
	NotAllowed []string

	// Unknown are entries of the tool that this version does not understand: those of a later one, or damaged.
	Unknown []string
}

// DropKey is a key for drops, by its public half.
type DropKey struct {
	Fingerprint string
	Created     time.Time
	Replaced    time.Time // zero while it is the present one
}

// Of takes the inventory of a vault that was opened with [vaultfile.OpenHistory]. Copies of keys for drops and for
// git stay on the heap, for the caller to have collected.
func Of(v *vaultfile.Vault) (Inventory, error) {
	i := Inventory{Secrets: v.Len(), Scopes: scopes(v.Names()), History: v.Keeps()}
	for _, name := range v.Reserved() {
		err := v.UseReserved(name, func(value []byte) error {
			i.entry(string(name), value)
			return nil
		})
		if err != nil {
			return Inventory{}, err
		}
	}
	if all, err := references.All(v); err == nil { // else the entry is among the unknown
		i.References = len(all)
	}
	slices.SortStableFunc(i.DropKeys, func(a, b DropKey) int {
		if a.Replaced.IsZero() != b.Replaced.IsZero() {
			return map[bool]int{true: -1, false: 1}[a.Replaced.IsZero()]
		}
		return b.Replaced.Compare(a.Replaced)
	})
	return i, nil
}

func scopes(names []string) []string {
	paths := make(map[string]bool)
	for _, name := range names {
		if path := reserved.FolderOf(name); path != "" {
			paths[path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// entry counts an entry of the tool.
func (i *Inventory) entry(name string, value []byte) {
	secret, isHistory := reserved.IsHistory(name)
	_, isFolder := reserved.IsFolder(name)
	_, isDrop := reserved.IsDrop(name)
	_, isReference := reserved.IsReference(name)
	connection, isConnection := reserved.IsConnection(name)
	known := isFolder
	switch {
	case name == string(reserved.Settings):
		_, err := history.DecodeSettings(value)
		known = err == nil
	case name == string(reserved.GitKey):
		_, err := gitdiff.NewWriter(value)
		known = err == nil
	case isHistory:
		known = i.record(secret, value)
	case isDrop:
		known = i.dropKey(value)
	case isReference:
		known = references.ValidRecord(value)
	case isConnection:
		known = i.connection(connection, value)
	case !isFolder && !isEntry(value):
		i.NotAllowed = append(i.NotAllowed, name)
		return
	}
	if !known {
		i.Unknown = append(i.Unknown, name)
	}
}

func (i *Inventory) record(secret string, value []byte) bool {
	r, err := history.Decode(value, secret)
	if err != nil {
		return false
	}
	i.Versions += len(r.Versions)
	for _, v := range r.Versions {
		if v.State == history.Kept {
			i.Kept++
		}
	}
	return true
}

func (i *Inventory) connection(name string, value []byte) bool {
	c, err := connections.Decode(name, value)
	if err != nil {
		return false
	}
	c.Close()
	i.Connections++
	return true
}

func (i *Inventory) dropKey(value []byte) bool {
	e, err := drop.ParseEntry(value)
	if err != nil {
		return false
	}
	k, err := e.Key()
	if err != nil {
		return false
	}
	d := DropKey{Fingerprint: k.Public.Fingerprint(), Created: time.Unix(e.Created, 0)}
	if e.Replaced != 0 {
		d.Replaced = time.Unix(e.Replaced, 0)
	}
	i.DropKeys = append(i.DropKeys, d)
	return true
}

// isEntry tells whether a value has the form of all that is the tool's: an object with its version (docs/format.md, "Reserved names").
func isEntry(value []byte) bool {
	return bytes.HasPrefix(value, []byte("{")) && bytes.Contains(value, []byte(`"v":`))
}
