package connections

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/jsontext"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// entryVersion is the version of the entries' form.
const entryVersion = 1

// Encode writes the entry of the connection, in locked memory that stays until Close.
func (c *Connection) Encode() ([]byte, error) {
	head := `{"config":{`
	tail := fmt.Sprintf(`},"type":"%s","v":%d}`, c.Type.Key, entryVersion)
	size := len(head) + len(tail)
	for key, value := range c.values {
		size += len(`"":,`) + len(key) + jsontext.StringLen(value)
	}
	place, err := c.memory.Take(size)
	if err != nil {
		return nil, err
	}
	text := append(place[:0], head...)
	for _, key := range c.Type.keys() {
		value, ok := c.values[key]
		if !ok {
			continue
		}
		if len(text) > len(head) {
			text = append(text, ',')
		}
		text = append(text, '"')
		text = append(text, key...)
		text = append(text, '"', ':')
		text = jsontext.AppendString(text, value)
	}
	return append(text, tail...), nil
}

// Decode reads the entry of a connection. The error wraps ErrUnknown, or says that there is no memory.
func Decode(name string, src []byte) (*Connection, error) {
	unknown := fmt.Errorf("%s: %w", name, ErrUnknown)
	t, v := peek(src)
	if t == nil || v != entryVersion || !utf8.Valid(src) {
		return nil, unknown
	}
	c, err := New(name, t)
	if err != nil {
		return nil, unknown
	}
	if err := c.read(src); err != nil {
		c.Close()
		if errors.Is(err, ErrBad) {
			return nil, unknown
		}
		return nil, err
	}
	return c, nil
}

// peek reads the type and the version of an entry. The type is nil for what is no entry.
func peek(src []byte) (t *Type, version uint64) {
	s := jsontext.NewScanner(src)
	s.Object(func(key []byte) {
		switch string(key) {
		case "type":
			t = TypeOf(s.Text())
		case "v":
			version = s.Uint()
		case "config":
			s.Skip()
		default:
			s.Fail()
		}
	})
	if !s.End() {
		return nil, 0
	}
	return t, version
}

// read sets the fields of an entry that peek has read.
func (c *Connection) read(src []byte) (err error) {
	var unquoted []byte // in locked memory
	s := jsontext.NewScanner(src)
	s.Object(func(key []byte) {
		if string(key) != "config" {
			s.Skip()
			return
		}
		s.Object(func(key []byte) {
			quoted := s.Quoted()
			if quoted == nil || err != nil {
				return
			}
			if unquoted, err = c.memory.Take(len(quoted)); err != nil {
				return
			}
			defer c.memory.Release(unquoted)
			value, ok := jsontext.AppendUnquoted(unquoted[:0], quoted)
			if !ok || len(value) == 0 {
				s.Fail()
				return
			}
			err = c.Set(string(key), value)
		})
	})
	if err == nil && !s.End() {
		return ErrBad
	}
	return err
}

// Vault is what connections are in. A vault and a draft are such.
type Vault interface {
	UseReserved(name reserved.Name, f func(value []byte) error) error
}

// In returns the connection of a vault, for the caller to close. The error wraps ErrNotFound or ErrUnknown.
func In(v Vault, name string) (c *Connection, err error) {
	err = fmt.Errorf("%w: %s", ErrNotFound, name)
	_ = v.UseReserved(reserved.Connection(name), func(src []byte) error { // fails where there is none
		c, err = Decode(name, src)
		return nil
	})
	return c, err
}

// Exists tells whether the vault has a connection of that name.
func Exists(v Vault, name string) bool {
	return v.UseReserved(reserved.Connection(name), func([]byte) error { return nil }) == nil
}

// Names are the names of the connections in a vault, sorted.
func Names(v interface{ Reserved() []reserved.Name }) []string {
	names := []string{}
	for _, entry := range v.Reserved() {
		if name, ok := reserved.IsConnection(string(entry)); ok {
			names = append(names, name)
		}
	}
	return names
}
