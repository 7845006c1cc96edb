package vaultfile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/mazevault/vault-tool/internal/jsontext"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/redact"
)

// Draft is a vault being changed: the content as it stands, and the changes made to it so far. It is
// valid inside the callback that got it, and not safe for concurrent use.
type Draft struct {
	redact.Value
	isNew   bool   // the vault does not exist yet
	base    *Vault // what changes is built upon: the vault, or the JSON that a new one is made from; may be nil
	changes map[string]change
	values  lockedmem.Arena

	reserved map[string]change // of what belongs to the tool
	past     past
}

// change is what a draft does to one name. A name has one only if it differs from the base.
type change struct {
	value   []byte // nil: removed
	removed bool
}

func newDraft(base *Vault) *Draft {
	return &Draft{isNew: base == nil, base: base, changes: make(map[string]change), reserved: make(map[string]change)}
}

// New tells whether the vault does not exist yet.
func (d *Draft) New() bool { return d.isNew }

// Has tells whether the draft holds a secret of that name.
func (d *Draft) Has(name string) bool {
	if c, ok := d.changes[name]; ok {
		return !c.removed
	}
	return d.base != nil && d.base.Has(name)
}

// Use calls f with the value as the draft has it. f must neither change nor keep it. The error is f's
// or wraps [ErrNotFound].
func (d *Draft) Use(name string, f func(value []byte) error) error {
	c, changed := d.changes[name]
	switch {
	case changed && !c.removed:
		return f(c.value)
	case changed || d.base == nil:
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return d.base.Use(name, f)
}

// Names returns the names the draft holds, sorted bytewise.
func (d *Draft) Names() []string {
	var names []string
	d.eachSecret(func(name, _ []byte) { names = append(names, string(name)) })
	return names
}

// Len returns the number of secrets the draft holds.
func (d *Draft) Len() int {
	n := 0
	d.eachSecret(func(_, _ []byte) { n++ })
	return n
}

// Set gives a secret a value: added, updated, or unchanged where it has that value already. The value
// is copied to locked memory. Errors wrap [ErrBadName], [ErrBadValue] or [ErrTooLarge].
func (d *Draft) Set(name string, value []byte) (Outcome, error) {
	if err := ValidateName(name); err != nil {
		return "", err
	}
	if err := ValidateValue(value); err != nil {
		return "", fmt.Errorf("%w: %s", err, name)
	}
	outcome := Added
	if d.Has(name) {
		outcome = Updated
		if d.holds(name, value) {
			return Unchanged, nil
		}
	}
	if d.base != nil && d.base.holds(name, value) {
		d.forget(name) // back to what it was
		return outcome, nil
	}
	stored, err := d.values.Copy(value)
	if err != nil {
		return "", err
	}
	d.forget(name)
	d.changes[name] = change{value: stored}
	return outcome, nil
}

// ValidateValue returns nil for a value that a secret can have: UTF-8 of at most MaxValueBytes. Otherwise the error wraps [ErrBadValue] or
// [ErrTooLarge].
func ValidateValue(value []byte) error {
	if len(value) > MaxValueBytes {
		return fmt.Errorf("%w: a value of %d bytes, the most is %d", ErrTooLarge, len(value), MaxValueBytes)
	}
	if !utf8.Valid(value) {
		return ErrBadValue
	}
	return nil
}

// forget drops the change of a name, and lets its memory be used again.
func (d *Draft) forget(name string) {
	d.values.Release(d.changes[name].value)
	delete(d.changes, name)
}

// SetJSON sets all secrets of a JSON object of names to strings. src is decoded in place; the draft of a new
// vault uses the values where they stand, so src must be kept and not touched until the draft is written. An
// error about the JSON is a [PayloadError], or an ErrTooLarge for more than MaxFileBytes; nothing has been
// set then.
func (d *Draft) SetJSON(src []byte) error {
	if len(src) > MaxFileBytes {
		return fmt.Errorf("%w: JSON of %d bytes, the most is %d", ErrTooLarge, len(src), MaxFileBytes)
	}
	v, _, err := decodeVault(src, false)
	if err != nil {
		return err
	}
	if len(v.reserved) > 0 {
		return ValidateName(string(v.reserved[0].name(src)))
	}
	if d.isNew && d.base == nil && len(d.changes) == 0 {
		d.base = v
		return nil
	}
	for _, e := range v.entries {
		if _, err := d.Set(string(e.name(src)), e.value(src)); err != nil {
			return err
		}
	}
	return nil
}

// setAll makes the draft's secrets those of another draft.
func (d *Draft) setAll(content *Draft) (err error) {
	content.eachSecret(func(name, value []byte) {
		if err == nil {
			_, err = d.Set(string(name), value)
		}
	})
	if err != nil {
		return err
	}
	for _, name := range d.Names() {
		if !content.Has(name) {
			if err := d.Delete(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Delete removes a secret. The error wraps [ErrNotFound].
func (d *Draft) Delete(name string) error {
	if !d.Has(name) {
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	d.forget(name)
	if d.base != nil && d.base.Has(name) {
		d.changes[name] = change{removed: true}
	}
	return nil
}

func (d *Draft) holds(name string, value []byte) bool {
	equal := false
	_ = d.Use(name, func(v []byte) error { // a missing name is not equal, which is the answer
		equal = bytes.Equal(v, value)
		return nil
	})
	return equal
}

func (v *Vault) holds(name string, value []byte) bool {
	got, ok := v.find(name)
	return ok && bytes.Equal(got, value)
}

// changed tells whether writing the draft would change the vault.
func (d *Draft) changed() bool {
	return d.isNew || len(d.changes) > 0 || len(d.reserved) > 0 || d.past.changed()
}

// each calls f for every entry in the order of names. What belongs to the tool comes first.
func (d *Draft) each(f func(name, value []byte)) {
	var payload []byte
	var entries []entry
	if d.base != nil {
		payload, entries = d.base.payload, d.base.reserved
	}
	eachChanged(payload, entries, d.reserved, f)
	d.eachSecret(f)
}

// eachSecret calls f for every secret in the order of names.
func (d *Draft) eachSecret(f func(name, value []byte)) {
	var payload []byte
	var entries []entry
	if d.base != nil {
		payload, entries = d.base.payload, d.base.entries
	}
	eachChanged(payload, entries, d.changes, f)
}

// eachChanged merges entries, which are sorted, with the changes to them. f must neither keep nor change the name.
func eachChanged(payload []byte, entries []entry, changes map[string]change, f func(name, value []byte)) {
	changed := slices.Sorted(maps.Keys(changes))
	emitChange := func(name string) {
		if c := changes[name]; !c.removed {
			f(unsafe.Slice(unsafe.StringData(name), len(name)), c.value) // a copy of each name would cost more than all else here
		}
	}
	next := 0
	for _, e := range entries {
		name := e.name(payload)
		for next < len(changed) && changed[next] < string(name) {
			emitChange(changed[next])
			next++
		}
		if next < len(changed) && changed[next] == string(name) {
			emitChange(changed[next])
			next++
			continue
		}
		f(name, e.value(payload))
	}
	for ; next < len(changed); next++ {
		emitChange(changed[next])
	}
}

// payloadBytes is the size of the draft's content as canonical JSON.
func (d *Draft) payloadBytes() int {
	size := len("{}")
	first := true
	d.each(func(name, value []byte) {
		size += len(`"":`) + len(name) + jsontext.StringLen(value) // nothing in a name needs an escape
		if !first {
			size += len(",")
		}
		first = false
	})
	return size
}

// encode writes the draft's content as canonical JSON into a buffer of exactly that size.
func (d *Draft) encode() (*lockedmem.Buffer, error) {
	size := d.payloadBytes()
	if size > MaxFileBytes-minFileBytes {
		return nil, fmt.Errorf("%w: the vault would have %d bytes, the most is %d", ErrTooLarge, size+minFileBytes, MaxFileBytes)
	}
	buf, err := lockedmem.New(size)
	if err != nil {
		return nil, err
	}
	out := append(buf.Bytes()[:0], '{')
	d.each(func(name, value []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, name...)
		out = append(out, '"', ':')
		out = jsontext.AppendString(out, value)
	})
	out = append(out, '}')
	if len(out) != size || &out[0] != &buf.Bytes()[0] {
		// Would mean that values have been copied to the heap: a mistake in jsontext.StringLen.
		buf.Destroy()
		return nil, fmt.Errorf("vault: internal error: payload of %d bytes, computed %d", len(out), size)
	}
	return buf, nil
}

// close wipes the values that were set.
func (d *Draft) close() {
	d.values.Destroy()
	d.changes, d.reserved, d.base = nil, nil, nil
}
