package valuecheck

import (
	"bytes"
	"testing"
	"time"
)

// pair is secrets in memory that is not the vault's.
type pair [2]secret

func (p pair) Each(f func(name string, value []byte) error) error {
	for _, s := range p {
		if err := f(s.name, s.value); err != nil {
			return err
		}
	}
	return nil
}

// FuzzExamine: whatever a value is, it is looked at and left as it is.
func FuzzExamine(f *testing.F) {
	for _, value := range []string{
		"hunter2", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.x", "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n",
		"https://u:p@h/", "__X__", "\uFEFF x\n",
	} {
		f.Add("DB_PASSWORD", []byte(value))
	}
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		before := bytes.Clone(value)
		o := Options{Now: time.Unix(1_800_000_000, 0), ExpiresWithin: time.Hour, Tool: func(arguments string) string { return arguments }}
		if _, err := Examine(pair{{name, value}, {name + "_2", value}}, o); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(value, before) {
			t.Error("the value was changed")
		}
	})
}
