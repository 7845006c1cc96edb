package references

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/mazevault/vault-tool/internal/reserved"
)

// ErrUnknownRecord: the vault says of a secret in a form of a later version whether it is a reference.
var ErrUnknownRecord = errors.New("whether it is a reference is written as by a later version of vault-tool")

// recordVersion is the version of the records' form.
const recordVersion = 1

// maxFormer is how many texts a record has at most; the oldest go. It is above what a history keeps as a rule.
const maxFormer = 100

// record is the content of `.refs/NAME`: the texts of NAME that are references, the newest first. Every other text is a value. There
// is more than one so that an earlier reference is one again when the history gives it back.
type record struct {
	Name  string   `json:"name,omitempty"` // where the entry's name has a hash in its place
	Texts []string `json:"refs"`
	V     int      `json:"v"`
}

func decodeRecord(src []byte) (record, error) {
	var r record
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || r.V != recordVersion {
		return record{}, ErrUnknownRecord
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return record{}, ErrUnknownRecord
	}
	return r, nil
}

// ValidRecord tells whether this version understands a record.
func ValidRecord(src []byte) bool {
	_, err := decodeRecord(src)
	return err == nil
}

func (r record) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(r)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Secrets have values, and records of which are references. A vault and a draft are such.
type Secrets interface {
	Use(name string, f func(value []byte) error) error
	UseReserved(name reserved.Name, f func(value []byte) error) error
}

// Draft is what records are written to.
type Draft interface {
	Secrets
	SetReserved(name reserved.Name, value []byte) error
}

// readRecord returns the record of a secret, the zero record where there is none.
func readRecord(s Secrets, name string) (r record, err error) {
	_ = s.UseReserved(reserved.Reference(name), func(src []byte) error { // fails where there is none
		r, err = decodeRecord(src)
		return nil
	})
	return r, err
}

// Of returns the reference that a secret is, or "" for one that has a value of its own, or is not there.
func Of(s Secrets, name string) (string, error) {
	r, err := readRecord(s, name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	text := ""
	if len(r.Texts) > 0 {
		_ = s.Use(name, func(value []byte) error { // fails for a secret that is not there
			text = r.match(value)
			return nil
		})
	}
	return text, nil
}

// match is the text of the record that a value is, or "".
func (r record) match(value []byte) string {
	if i := slices.IndexFunc(r.Texts, func(text string) bool { return text == string(value) }); i >= 0 {
		return r.Texts[i]
	}
	return ""
}

// IsText tells whether a value that a secret has, or had, is a reference.
func IsText(s Secrets, name string, value []byte) (text string, err error) {
	r, err := readRecord(s, name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return r.match(value), nil
}

// Note writes down that a text of a secret is a reference. The secret is given that text by the caller.
func Note(d Draft, name, text string) error {
	r, err := readRecord(d, name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.Texts = slices.Insert(slices.DeleteFunc(r.Texts, func(t string) bool { return t == text }), 0, text)
	return r.write(d, name)
}

func (r record) write(d Draft, name string) error {
	r.Texts = r.Texts[:min(len(r.Texts), maxFormer)]
	r.V = recordVersion
	entry := reserved.Reference(name)
	r.Name = ""
	if entry.IsLong() {
		r.Name = name
	}
	src, err := r.encode()
	if err != nil {
		return err
	}
	return d.SetReserved(entry, src)
}

// Copy lets a secret that gets the value of another one be the same reference, if that is one.
func Copy(d Draft, from, to string) error {
	text, err := Of(d, from)
	if err != nil || text == "" {
		return err
	}
	return Note(d, to, text)
}

// Merge adds the texts of a secret that are references in another vault.
func Merge(d Draft, theirs Secrets, name string) error {
	r, err := readRecord(d, name)
	other, otherErr := readRecord(theirs, name)
	if err != nil || otherErr != nil {
		return ErrUnknownRecord
	}
	for _, text := range other.Texts {
		if !slices.Contains(r.Texts, text) {
			r.Texts = append(r.Texts, text)
		}
	}
	return r.write(d, name)
}

// Listed is a vault that can say which entries it has.
type Listed interface {
	Secrets
	Reserved() []reserved.Name
}

// Any tells whether there may be references among the secrets.
func Any(s Listed) bool {
	return slices.ContainsFunc(s.Reserved(), func(entry reserved.Name) bool {
		_, ok := reserved.IsReference(string(entry))
		return ok
	})
}

// All returns the secrets that are references, by name, with their texts.
func All(s Listed) (map[string]string, error) {
	all := make(map[string]string)
	for _, entry := range s.Reserved() {
		name, ok := reserved.IsReference(string(entry))
		if !ok {
			continue
		}
		if name == "" {
			err := s.UseReserved(entry, func(src []byte) error {
				r, err := decodeRecord(src)
				name = r.Name
				return err
			})
			if err != nil || reserved.Reference(name) != entry {
				return nil, fmt.Errorf("%s: %w", entry, ErrUnknownRecord)
			}
		}
		text, err := Of(s, name)
		if err != nil {
			return nil, err
		}
		if text != "" {
			all[name] = text
		}
	}
	return all, nil
}
