package vaultfile

import (
	"bytes"
	"context"
	"fmt"

	"github.com/mazevault/vault-tool/internal/redact"
)

// Patch is a JSON Merge Patch (RFC 7396) for a vault: an object of names to strings, or to null for what is to be removed.
type Patch struct {
	redact.Value
	src        []byte
	entries    []entry
	references map[string]bool
}

// ParsePatch decodes a patch in place: src must be kept, and not be touched, as long as the patch. An error about the JSON is a
// [PayloadError], one about a name wraps [ErrBadName], and more than MaxFileBytes are an [ErrTooLarge].
func ParsePatch(src []byte) (*Patch, error) { return parsePatch(src, false) }

// ParseReferencePatch is ParsePatch for a patch that may have {"ref": "…"} in the place of a value: a reference to an external store, which
// [Patch.IsReference] tells from a text.
func ParseReferencePatch(src []byte) (*Patch, error) { return parsePatch(src, true) }

func parsePatch(src []byte, takesReferences bool) (*Patch, error) {
	if len(src) > MaxFileBytes {
		return nil, fmt.Errorf("%w: JSON of %d bytes, the most is %d", ErrTooLarge, len(src), MaxFileBytes)
	}
	d := decoder{src: src, takesNull: true, takesReferences: takesReferences}
	if err := d.object(); err != nil {
		return nil, err
	}
	for _, e := range d.entries {
		if err := ValidateName(string(e.name(src))); err != nil {
			return nil, err
		}
	}
	return &Patch{src: src, entries: d.entries, references: d.references}, nil
}

// IsReference tells whether the value of a name is a reference.
func (p *Patch) IsReference(name string) bool { return p.references[name] }

// Each calls f for every member in the order of names, until f returns an error, which Each returns. value is nil for null.
func (p *Patch) Each(f func(name string, value []byte) error) error {
	for _, e := range p.entries {
		value := e.value(p.src)
		if e.isNull() {
			value = nil
		}
		if err := f(string(e.name(p.src)), value); err != nil {
			return err
		}
	}
	return nil
}

var null = []byte("null")

// isNull tells whether the entry stands for null: no value begins at the beginning of the source.
func (e entry) isNull() bool { return e.valueOffset == 0 }

// acceptNull reads null as the value of a name, if that is wanted.
func (d *decoder) acceptNull(name entry) bool {
	if !d.takesNull || !bytes.HasPrefix(d.src[d.pos:], null) {
		return false
	}
	d.pos += len(null)
	d.entries = append(d.entries, name)
	return true
}

// Rehearse calls change with a draft as [Update] does, and writes nothing. It takes no lock. Errors are those of Update.
func Rehearse(ctx context.Context, path string, u *Unlocker, o UpdateOptions, change func(*Draft) error) error {
	s := session{options: o.WriteOptions, target: path}
	if err := s.match(o.IfMatch); err != nil {
		return err
	}
	var base *Vault
	if exists, err := fileExists(path); err != nil {
		return err
	} else if exists || !o.CreateMissing {
		if base, err = OpenHistory(ctx, path, u); err != nil {
			return err
		}
	}
	defer base.Close()
	draft := newDraft(base)
	defer draft.close()
	return change(draft)
}

// referenceKey is the only key of the object that stands for a reference.
const referenceKey = "ref"

// acceptReference reads {"ref": "…"} as the value of a name, if that is wanted: its text is the value.
func (d *decoder) acceptReference(found entry, name []byte) (bool, error) {
	if !d.takesReferences || !d.accept('{') {
		return false, nil
	}
	d.skipSpace()
	start := d.pos
	keyOffset, keyEnd, err := d.str(name)
	if err != nil || string(d.src[keyOffset:keyEnd]) != referenceKey {
		return false, d.errorAt(start, ReasonNotString, name)
	}
	if !d.accept(':') {
		return false, d.unexpected(ReasonSyntax, name)
	}
	d.skipSpace()
	if d.pos < len(d.src) && d.src[d.pos] != '"' {
		return false, d.errorAt(d.pos, ReasonNotString, name)
	}
	valueOffset, valueEnd, err := d.str(name)
	if err != nil {
		return false, err
	}
	if !d.accept('}') {
		return false, d.unexpected(ReasonNotString, name)
	}
	found.valueOffset, found.valueBytes = uint32(valueOffset), uint32(valueEnd-valueOffset)
	d.entries = append(d.entries, found)
	if d.references == nil {
		d.references = make(map[string]bool)
	}
	d.references[string(name)] = true
	return true, nil
}
