package connections

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/redact"
	"github.com/mazevault/vault-tool/internal/references"
)

// Errors to branch on with errors.Is.
var (
	// ErrBad: a field, or a connection as a whole, is not as it has to be.
	ErrBad = errors.New("not a valid connection")

	// ErrNotFound: the vault has no connection of that name.
	ErrNotFound = errors.New("no such connection")

	// ErrUnknown: the connection is written as by a later version of vault-tool.
	ErrUnknown = errors.New("the connection is written as by a later version of vault-tool")
)

// Mask stands in the place of a sensitive value that is there.
const Mask = "••••••••"

// Connection is a store and how to get at it. It is not safe for concurrent use.
type Connection struct {
	redact.Value
	Name string
	Type *Type

	values map[string][]byte // by the keys of fields, in locked memory
	memory lockedmem.Arena
}

// New makes a connection without fields. The error wraps ErrBad.
func New(name string, t *Type) (*Connection, error) {
	if !references.ValidConnection(name) {
		return nil, fmt.Errorf("%w: its name has at most 63 small letters, digits and '-' between them", ErrBad)
	}
	return &Connection{Name: name, Type: t, values: make(map[string][]byte)}, nil
}

// Close wipes the values.
func (c *Connection) Close() {
	if c != nil {
		c.memory.Destroy()
		c.values = nil
	}
}

// Has tells whether the field has a value.
func (c *Connection) Has(key string) bool { return c.values[key] != nil }

// Get returns the value of a field, in locked memory until Close.
func (c *Connection) Get(key string) (value []byte, ok bool) {
	value, ok = c.values[key]
	return value, ok
}

// Set gives a field a value, of which it keeps a copy. An empty one takes it away. The error wraps ErrBad.
func (c *Connection) Set(key string, value []byte) error {
	f := c.Type.field(key)
	if f == nil {
		return fmt.Errorf("%w: %s has no field of that name; it has %s", ErrBad, c.Type.Key, strings.Join(c.Type.keys(), ", "))
	}
	if len(value) == 0 {
		c.memory.Release(c.values[key])
		delete(c.values, key)
		return nil
	}
	if problem := f.problem(value); problem != "" {
		return fmt.Errorf("%w: %s: %s", ErrBad, key, problem)
	}
	stored, err := c.memory.Copy(value)
	if err != nil {
		return err
	}
	c.memory.Release(c.values[key])
	c.values[key] = stored
	return nil
}

// SetShown is Set for a value that may have been shown: where it is what [Connection.Shown] gives for a sensitive one, that stays.
func (c *Connection) SetShown(key string, value []byte) error {
	if f := c.Type.field(key); f != nil && f.Sensitive && c.Has(key) && string(value) == Mask {
		return nil
	}
	return c.Set(key, value)
}

// Shown is the value of a field as it may be shown: a sensitive one is masked.
func (c *Connection) Shown(key string) (text string, ok bool) {
	value, ok := c.values[key]
	switch f := c.Type.field(key); {
	case !ok:
		return "", false
	case f.Sensitive:
		return Mask, true
	}
	return string(value), true
}

// Check tells whether the fields are complete and go together. The error wraps ErrBad.
func (c *Connection) Check() error {
	for _, f := range c.Type.Fields {
		if f.Required && !c.Has(f.Key) {
			return fmt.Errorf("%w: %s is missing", ErrBad, f.Key)
		}
	}
	if c.Type.check != nil {
		if problem := c.Type.check(c); problem != "" {
			return fmt.Errorf("%w: %s", ErrBad, problem)
		}
	}
	return nil
}

// Place says where the store is: a region, an address, a project.
func (c *Connection) Place() string {
	place, _ := c.Shown(c.Type.place)
	return place
}

// IsAt tells whether the store is at the place that a foreign reference names: a region, the host of a vault or its first label, a
// project.
func (c *Connection) IsAt(place string) bool {
	own := c.Place()
	if c.Type.Scheme != references.Azure {
		return own == place
	}
	u, err := url.Parse(own)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	label, _, _ := strings.Cut(host, ".")
	return place == host || place == label
}

// keys are the keys of the type's fields, sorted.
func (t *Type) keys() []string {
	keys := make([]string, 0, len(t.Fields))
	for _, f := range t.Fields {
		keys = append(keys, f.Key)
	}
	slices.Sort(keys)
	return keys
}
