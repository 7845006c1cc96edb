package history

import (
	"bytes"
	"encoding/base64"

	"github.com/mazevault/vault-tool/internal/jsontext"
)

// Decoder reads records. It remembers the texts that one record shares with the next. The zero value is ready.
type Decoder struct{ scanner jsontext.Scanner }

// Decode is [Decoder.Decode] for a single record.
func Decode(src []byte, name string) (Record, error) { return new(Decoder).Decode(src, name) }

// Decode reads a record. Kept values stay where they are in src, as JSON strings. name is the secret's, where the entry's own
// name tells it, else "". The error is ErrUnknown.
func (d *Decoder) Decode(src []byte, name string) (Record, error) {
	s := &d.scanner
	s.Reset(src)
	r := Record{Name: name, Versions: make([]Version, 0, min(bytes.Count(src, versionStart), manyVersions)+1)} // with room for the next one
	known := false
	s.Object(func(key []byte) {
		switch string(key) { // which copies nothing
		case "v":
			known = s.Uint() == formatVersion
		case "name":
			r.Name = s.Text()
		case "cut":
			r.Cut = s.Yes()
		case "versions":
			s.Array(func() { r.Versions = append(r.Versions, readVersion(s)) })
		default:
			s.Fail() // of a later version, which has forgotten to say so
		}
	})
	if !s.End() || !known || !r.inOrder() {
		return Record{}, ErrUnknown
	}
	return r, nil
}

// manyVersions are the most that room is made for before they are seen.
const manyVersions = 64

// versionStart begins each version as this tool writes it.
var versionStart = []byte(`{"n":`)

// inOrder tells whether the versions ascend, and the last one, and no other, has no value of its own in the record.
func (r *Record) inOrder() bool {
	for i, v := range r.Versions {
		last := i == len(r.Versions)-1
		if v.Number == 0 || i > 0 && v.Number <= r.Versions[i-1].Number || v.State == Current && !last || v.State == Kept && last {
			return false
		}
	}
	return len(r.Versions) > 0
}

func readVersion(s *jsontext.Scanner) (v Version) {
	v.State = Kept
	s.Object(func(key []byte) {
		switch string(key) { // which copies nothing
		case "n":
			v.Number = s.Uint()
		case "t":
			v.Seconds = int64(s.Uint())
		case "rev":
			v.Revision = s.Uint()
		case "who":
			v.Who = s.Text()
		case "cmd":
			v.Command = s.Text()
		case "from":
			v.From = s.Text()
		case "origin":
			v.Origin = Origin(s.Text())
		case "gone":
			v.State = State(s.Text())
		case "digest":
			v.State = Current
			readDigest(s, &v.Digest)
		case "value":
			v.Quoted = s.Quoted()
		default:
			s.Fail()
		}
	})
	if (v.State == Kept) != (v.Quoted != nil) {
		s.Fail()
	}
	return v
}

func readDigest(s *jsontext.Scanner, digest *[DigestBytes]byte) {
	quoted := s.Quoted()
	if len(quoted) != base64.RawStdEncoding.EncodedLen(DigestBytes)+len(`""`) {
		s.Fail()
		return
	}
	if _, err := base64.RawStdEncoding.Decode(digest[:], quoted[1:len(quoted)-1]); err != nil {
		s.Fail()
	}
}
