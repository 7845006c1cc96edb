// Package gitdiff makes the text that git compares in the place of vaults: names, each with a short digest of its value. The key of the digests is in the
// vault (docs/format.md, "Git"), so that they tell nothing without the vault's key, and stay when that is changed.
package gitdiff

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"

	"github.com/mazevault/vault-tool/internal/history"
)

// ErrEntry: a key of a form that this version does not know.
var ErrEntry = errors.New("a key of git's digests of another form")

const (
	formatVersion = 1
	keyBytes      = 32
	shownBytes    = 8 // of a digest
)

type entry struct {
	Version int    `json:"v"`
	Key     string `json:"key"`
}

// NewKey returns the entry of a new key.
func NewKey() []byte {
	var key [keyBytes]byte
	_, _ = rand.Read(key[:]) // never fails: crypto/rand ends the process instead
	text, err := json.Marshal(entry{formatVersion, base64.RawStdEncoding.EncodeToString(key[:])})
	if err != nil {
		panic("gitdiff: a key that is no JSON: " + err.Error()) // numbers and text always are
	}
	return text
}

// Writer writes the text of one vault.
type Writer struct {
	digester *history.Digester // nil: names alone
	text     bytes.Buffer
}

// NewWriter returns one for the key in an entry. Without an entry the text has names alone.
func NewWriter(src []byte) (*Writer, error) {
	if len(src) == 0 {
		return &Writer{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(src))
	decoder.DisallowUnknownFields()
	var e entry
	if decoder.Decode(&e) != nil || e.Version != formatVersion {
		return nil, ErrEntry
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) { // there is something behind the object
		return nil, ErrEntry
	}
	key, err := base64.RawStdEncoding.DecodeString(e.Key)
	if err != nil || len(key) != keyBytes {
		return nil, ErrEntry
	}
	return &Writer{digester: history.NewDigester(key)}, nil
}

// Add writes a line for a secret.
func (w *Writer) Add(name string, value []byte) {
	w.text.WriteString(name)
	if w.digester != nil {
		digest := w.digester.Digest(name, value)
		w.text.WriteByte(' ')
		w.text.WriteString(hex.EncodeToString(digest[:shownBytes]))
	}
	w.text.WriteByte('\n')
}

// Text is what was written. It ends the use of the writer.
func (w *Writer) Text() []byte {
	if w.digester != nil {
		w.digester.Close()
	}
	return w.text.Bytes()
}
