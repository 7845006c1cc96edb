package history

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash"
)

// Bounds say how much of the past is kept. The zero value is none: there is no history.
type Bounds struct {
	Keep     int   // versions of a secret, the current one among them
	MaxBytes int64 // of a secret's old values, but always the one before the current
}

// The bounds of a vault that nobody has set.
const (
	DefaultKeep     = 10
	DefaultMaxBytes = 1 << 20
)

// Settings are the entry of that name. Fields that other parts of the tool keep there stay.
type Settings struct {
	Bounds
	Key      []byte // of the digests
	Counter  uint64 // the largest number of a version whose record is gone: a new record goes on from there
	OldBytes int64  // of all old values, as they stand in their records
	Deleted  int    // records of names that there are no more

	rest map[string]json.RawMessage
}

const keyBytes = 32

// settingsJSON is the part of the entry that is the history's.
type settingsJSON struct {
	Keep     int    `json:"keep"`
	MaxBytes int64  `json:"max_bytes"`
	Key      string `json:"digest_key"`
	Counter  uint64 `json:"counter,omitempty"`
	OldBytes int64  `json:"old_bytes,omitempty"`
	Deleted  int    `json:"deleted,omitempty"`
}

const historyField = "history"

// DecodeSettings reads the entry. One that there is not, an empty src, has no history. The error is ErrUnknown.
func DecodeSettings(src []byte) (Settings, error) {
	var s Settings
	if len(src) == 0 {
		return s, nil
	}
	if json.Unmarshal(src, &s.rest) != nil || string(s.rest["v"]) != "1" {
		return Settings{}, ErrUnknown
	}
	own := s.rest[historyField]
	delete(s.rest, historyField)
	if own == nil {
		return s, nil
	}
	var stored settingsJSON
	if json.Unmarshal(own, &stored) != nil {
		return Settings{}, ErrUnknown
	}
	key, err := base64.RawStdEncoding.DecodeString(stored.Key)
	if err != nil || len(key) != keyBytes || stored.Keep <= 0 || stored.MaxBytes < 0 {
		return Settings{}, ErrUnknown
	}
	s.Bounds, s.Key = Bounds{stored.Keep, stored.MaxBytes}, key
	s.Counter, s.OldBytes, s.Deleted = stored.Counter, stored.OldBytes, stored.Deleted
	return s, nil
}

// Begin turns the history on, with a fresh key for digests.
func (s *Settings) Begin(b Bounds) {
	s.Bounds = b
	s.Key = make([]byte, keyBytes)
	_, _ = rand.Read(s.Key) // never fails: crypto/rand ends the process instead
}

// End turns the history off.
func (s *Settings) End() { *s = Settings{rest: s.rest} }

// On tells whether there is a history.
func (s *Settings) On() bool { return s.Keep > 0 }

// Encode returns the entry, or nil where nothing needs one.
func (s *Settings) Encode() []byte {
	all := map[string]json.RawMessage{"v": json.RawMessage("1")}
	for key, value := range s.rest {
		all[key] = value
	}
	if s.On() {
		own, err := json.Marshal(settingsJSON{s.Keep, s.MaxBytes, base64.RawStdEncoding.EncodeToString(s.Key), s.Counter, s.OldBytes, s.Deleted})
		if err != nil {
			panic("history: settings that are no JSON: " + err.Error()) // numbers and text always are
		}
		all[historyField] = own
	}
	if len(all) == 1 {
		return nil
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic("history: settings that are no JSON: " + err.Error()) // each of them was read as JSON
	}
	return text
}

// Digester makes digests of values. Close it to wipe what it holds of the last one.
type Digester struct {
	mac  hash.Hash
	name []byte // room
	sum  []byte // likewise
}

// NewDigester returns one for the settings' key.
func (s *Settings) NewDigester() *Digester { return NewDigester(s.Key) }

// NewDigester returns one for a key.
func NewDigester(key []byte) *Digester { return &Digester{mac: hmac.New(sha256.New, key)} }

// Digest is HMAC-SHA256 of the name, a zero byte and the value, cut to DigestBytes: it tells whether a value is the one that was
// recorded, and tells who has no key nothing.
func (d *Digester) Digest(name string, value []byte) [DigestBytes]byte {
	d.mac.Reset()
	d.name = append(append(d.name[:0], name...), 0)
	_, _ = d.mac.Write(d.name) // a hash takes all
	_, _ = d.mac.Write(value)
	d.sum = d.mac.Sum(d.sum[:0])
	return [DigestBytes]byte(d.sum)
}

// Close overwrites the block of a value that the hash still holds.
func (d *Digester) Close() {
	d.mac.Reset()
	var zeros [sha256.BlockSize]byte
	_, _ = d.mac.Write(zeros[1:]) // a whole block would not go through the place where the value's end stands
	_, _ = d.mac.Write(zeros[:1])
}
