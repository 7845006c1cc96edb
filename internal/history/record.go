package history

import (
	"encoding/base64"
	"errors"
	"strconv"

	"github.com/mazevault/vault-tool/internal/jsontext"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// formatVersion stands in every entry. An entry of another version is not understood, and kept as it is.
const formatVersion = 1

// ErrUnknown: an entry that this version of the tool does not understand, because a later one wrote it, or another program.
var ErrUnknown = errors.New("an entry of another form")

// State says what there is of a version's value.
type State string

// The states of a version.
const (
	Current   State = "current"   // the value is the secret's
	Kept      State = "kept"      // the value is in the record
	Deleted   State = "deleted"   // the secret was removed, there is no value
	Dropped   State = "dropped"   // the value went because of the history's bounds
	Destroyed State = "destroyed" // the value was destroyed on purpose
	Lost      State = "lost"      // another program replaced the value, and kept none
)

// Origin says how a version came into the history.
type Origin string

// The origins of a version.
const (
	Written Origin = ""        // the tool wrote the value at that time
	Before  Origin = "before"  // the value was there when the history began
	Foreign Origin = "foreign" // another program wrote it some time before
)

// DigestBytes is the length of a digest.
const DigestBytes = 16

// Version is one version of a secret.
type Version struct {
	Number   uint64
	Seconds  int64 // since 1970: when it was written, or noticed where the origin is Before or Foreign
	Who      string
	Command  string
	From     string // the secret that it was a version of before it was renamed or copied
	Revision uint64 // of the secret's folder
	Origin   Origin
	State    State

	Digest [DigestBytes]byte // of the value, while it is Current
	Quoted []byte            // the value as a JSON string, if it is Kept and was decoded
	Plain  []byte            // the value, if it is Kept and was not: one of the two
}

// Record is what is kept of one secret.
type Record struct {
	Name     string // the secret's
	Cut      bool   // versions before the first have been here
	Versions []Version
}

// Last returns the newest version, or nil.
func (r *Record) Last() *Version {
	if len(r.Versions) == 0 {
		return nil
	}
	return &r.Versions[len(r.Versions)-1]
}

// Find returns the version of that number, or nil.
func (r *Record) Find(number uint64) *Version {
	for i := range r.Versions {
		if r.Versions[i].Number == number {
			return &r.Versions[i]
		}
	}
	return nil
}

// ValueBytes is the size of a kept value, as it stands in the record.
func (v *Version) ValueBytes() int {
	switch {
	case v.State != Kept:
		return 0
	case v.Quoted != nil:
		return len(v.Quoted)
	}
	return jsontext.StringLen(v.Plain)
}

// OldBytes is the size of all kept values.
func (r *Record) OldBytes() int {
	n := 0
	for i := range r.Versions {
		n += r.Versions[i].ValueBytes()
	}
	return n
}

// Use calls f with a kept value, which f neither keeps nor changes.
func (v *Version) Use(f func(value []byte) error) error {
	if v.Quoted == nil {
		return f(v.Plain)
	}
	buf, err := lockedmem.New(len(v.Quoted))
	if err != nil {
		return err
	}
	defer buf.Destroy()
	value, ok := jsontext.AppendUnquoted(buf.Bytes()[:0], v.Quoted)
	if !ok {
		return ErrUnknown
	}
	return f(value)
}

// Lose takes a version's value away.
func (v *Version) Lose(why State) {
	v.State, v.Quoted, v.Plain, v.Digest = why, nil, nil, [DigestBytes]byte{}
}

// Len is the length of what Append appends.
func (r *Record) Len(named bool) int {
	var room [512]byte
	n := len(r.appendHead(room[:0], named)) + len("]}")
	for i := range r.Versions {
		v := &r.Versions[i]
		n += len(v.appendHead(room[:0])) + len("}")
		if v.State == Kept {
			n += len(valueField) + v.ValueBytes()
		}
	}
	return n + max(len(r.Versions)-1, 0)
}

// MostLen is as much as Len at the least, and found without a look at the texts.
func (r *Record) MostLen() int {
	const mostEscaped = len(`\u0000`) // what a byte of a text can become
	n := fieldBytes + mostEscaped*len(r.Name)
	for i := range r.Versions {
		v := &r.Versions[i]
		n += fieldBytes + mostEscaped*(len(v.Who)+len(v.Command)+len(v.From)+len(v.Origin)+len(v.State)) + v.ValueBytes()
	}
	return n
}

// fieldBytes are more than the names of all fields, the numbers and the digest of a version have.
const fieldBytes = 256

const valueField = `,"value":`

// Append appends the record as JSON. It copies values to dst only, if dst has room for Len more bytes. named adds the name, for an
// entry whose own name does not tell it.
func (r *Record) Append(dst []byte, named bool) []byte {
	dst = r.appendHead(dst, named)
	for i := range r.Versions {
		if i > 0 {
			dst = append(dst, ',')
		}
		v := &r.Versions[i]
		dst = v.appendHead(dst)
		switch {
		case v.State == Kept && v.Quoted != nil:
			dst = append(append(dst, valueField...), v.Quoted...)
		case v.State == Kept:
			dst = jsontext.AppendString(append(dst, valueField...), v.Plain)
		}
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

func (r *Record) appendHead(dst []byte, named bool) []byte {
	dst = append(dst, `{"v":`...)
	dst = strconv.AppendInt(dst, formatVersion, 10)
	if named {
		dst = appendText(dst, `,"name":`, r.Name)
	}
	if r.Cut {
		dst = append(dst, `,"cut":true`...)
	}
	return append(dst, `,"versions":[`...)
}

// appendHead appends all but the value and the closing brace.
func (v *Version) appendHead(dst []byte) []byte {
	dst = strconv.AppendUint(append(dst, `{"n":`...), v.Number, 10)
	dst = strconv.AppendInt(append(dst, `,"t":`...), v.Seconds, 10)
	dst = strconv.AppendUint(append(dst, `,"rev":`...), v.Revision, 10)
	dst = appendText(dst, `,"who":`, v.Who)
	dst = appendText(dst, `,"cmd":`, v.Command)
	dst = appendText(dst, `,"from":`, v.From)
	dst = appendText(dst, `,"origin":`, string(v.Origin))
	switch v.State {
	case Kept:
	case Current:
		dst = append(dst, `,"digest":"`...)
		dst = base64.RawStdEncoding.AppendEncode(dst, v.Digest[:])
		dst = append(dst, '"')
	default:
		dst = appendText(dst, `,"gone":`, string(v.State))
	}
	return dst
}

// appendText appends a field, unless it is empty.
func appendText(dst []byte, field, text string) []byte {
	if text == "" {
		return dst
	}
	return jsontext.AppendString(append(dst, field...), []byte(text))
}
