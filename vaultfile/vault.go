package vaultfile

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unsafe"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/redact"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// Vault is the decrypted content of a vault file: a snapshot, which later changes of the file do not
// reach. All of it stands once, in locked memory that cannot be written until Close. Methods may be called
// concurrently, Close excepted.
//
// A vault may also hold entries that belong to the tool (docs/format.md, "Reserved names"), earlier values of secrets among them. No
// method counts, names or gives them as secrets. Unless the vault was opened with [OpenHistory], none of them stays in memory but what
// says which secrets are references to external stores, and the connections to those.
type Vault struct {
	redact.Value
	memory   *lockedmem.Buffer // nil where payload is a caller's
	payload  []byte            // nil when closed; read-only memory where it is the vault's own
	entries  []entry           // the secrets, sorted by name
	reserved []entry           // what belongs to the tool: names that begin with '.', which sort before all others
	id       Identity          // of the file it was read from
}

// newVault takes over payload, decrypted, and decodes it in place. The payload is destroyed when it breaks the rules. What belongs to the
// tool is wiped, unless it is to be kept or every reader needs it.
func newVault(payload *lockedmem.Buffer, keepReserved bool) (*Vault, error) {
	v, err := vaultOf(payload, keepReserved)
	if err == nil {
		err = payload.Freeze()
	}
	if err != nil {
		payload.Destroy()
		return nil, err
	}
	v.memory = payload
	return v, nil
}

func vaultOf(payload *lockedmem.Buffer, keepReserved bool) (*Vault, error) {
	v, front, err := decodeVault(payload.Bytes(), !keepReserved)
	if err != nil || keepReserved {
		return v, err
	}
	v.reserved = slices.DeleteFunc(v.reserved, func(e entry) bool {
		if reserved.IsNeeded(string(e.name(v.payload))) {
			return false
		}
		clear(e.value(v.payload))
		return true
	})
	payload.WipeFront(front)
	return v, nil
}

// decodeVault decodes a payload in place, which stays the caller's. stepOver leaves what the tool has up to front as it is.
func decodeVault(payload []byte, stepOver bool) (v *Vault, front int, err error) {
	all, front, err := decodePayload(payload, stepOver)
	if err != nil {
		return nil, 0, err
	}
	n := 0
	for n < len(all) && payload[all[n].nameOffset] == reservedByte {
		n++
	}
	return &Vault{payload: payload, entries: all[n:], reserved: all[:n:n]}, front, nil
}

// Identity tells which file the vault was read from, as [Identify] does for a path.
func (v *Vault) Identity() Identity { return v.id }

// Len returns the number of secrets.
func (v *Vault) Len() int { return len(v.entries) }

// Names returns the names of all secrets, sorted bytewise.
func (v *Vault) Names() []string {
	names := make([]string, 0, len(v.entries))
	if v.payload == nil {
		return names
	}
	// One string for all: a hundred thousand small ones cost the collector more than the decoding.
	var all strings.Builder
	total := 0
	for _, e := range v.entries {
		total += int(e.nameBytes)
	}
	all.Grow(total)
	for _, e := range v.entries {
		all.Write(e.name(v.payload))
	}
	rest := all.String()
	for _, e := range v.entries {
		names = append(names, rest[:e.nameBytes])
		rest = rest[e.nameBytes:]
	}
	return names
}

// AppendNames appends the names of all secrets, sorted bytewise, each with a newline behind it.
func (v *Vault) AppendNames(dst []byte) []byte {
	size := 0
	for _, e := range v.entries {
		size += int(e.nameBytes) + len("\n")
	}
	dst = slices.Grow(dst, size)
	for _, e := range v.entries {
		dst = append(append(dst, e.name(v.payload)...), '\n')
	}
	return dst
}

// Has tells whether there is a secret of that name. A closed vault has none.
func (v *Vault) Has(name string) bool {
	_, ok := v.find(name)
	return ok
}

// Use calls f with the value's bytes in locked memory, without a copy. f must neither keep nor change
// them: writing to them ends the process with a fault. The error is f's, or wraps [ErrNotFound] or [ErrClosed].
func (v *Vault) Use(name string, f func(value []byte) error) error {
	if v.payload == nil {
		return ErrClosed
	}
	value, ok := v.find(name)
	if !ok {
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return f(value)
}

// Get returns a copy of the value as a string, which is ordinary memory: it cannot be wiped. Prefer
// [Vault.Use] where bytes will do. The error wraps [ErrNotFound] or [ErrClosed].
func (v *Vault) Get(name string) (string, error) {
	var s string
	err := v.Use(name, func(value []byte) error {
		s = string(value)
		return nil
	})
	return s, err
}

// Each calls f for every secret in the order of names, until f returns an error, which Each returns. The
// values are as [Vault.Use] gives them, and stand where they are until Close.
func (v *Vault) Each(f func(name string, value []byte) error) error {
	if v.payload == nil {
		return ErrClosed
	}
	for i, name := range v.Names() {
		if err := f(name, v.entries[i].value(v.payload)); err != nil {
			return err
		}
	}
	return nil
}

// Close wipes the content and gives the memory back. It may be called again, and on nil; it must not
// be called while another method runs.
func (v *Vault) Close() {
	if v == nil {
		return
	}
	v.memory.Destroy()
	v.memory, v.payload, v.entries, v.reserved = nil, nil, nil, nil
}

// find returns the value of that name, where it stands.
func (v *Vault) find(name string) (value []byte, ok bool) {
	if v.payload == nil {
		return nil, false
	}
	return findIn(v.payload, v.entries, name)
}

// findIn returns the value of that name among entries, which are sorted.
func findIn(payload []byte, entries []entry, name string) (value []byte, ok bool) {
	key := unsafe.Slice(unsafe.StringData(name), len(name))
	i := sort.Search(len(entries), func(i int) bool { return bytes.Compare(entries[i].name(payload), key) >= 0 })
	if i == len(entries) || !bytes.Equal(entries[i].name(payload), key) {
		return nil, false
	}
	return entries[i].value(payload), true
}
