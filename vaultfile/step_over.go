package vaultfile

import (
	"bytes"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/jsontext"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// stepOverFront steps over the entries of the tool in front of all others, up to those that every reader needs. It checks what [decoder.member] checks, and changes
// nothing. Where anything is out of the ordinary, an escape in a name or an error, it steps over nothing, for member to look at.
// It returns whether the object ended there.
func (d *decoder) stepOverFront() (ended bool) {
	start, startLine := d.pos, d.now
	var last []byte
	for {
		d.skipSpace()
		if rest := d.src[d.pos:]; !bytes.HasPrefix(rest, []byte{'"', reservedByte}) || !isStepped(rest[1:]) {
			d.front = d.pos
			break
		}
		name := d.stepOverMember()
		if name == nil || bytes.Compare(last, name) >= 0 {
			break
		}
		last = name
		if d.accept('}') {
			d.front = d.pos
			return true
		}
		if !d.accept(',') {
			break
		}
	}
	if d.front == 0 || last == nil {
		d.front, d.pos, d.now = 0, start, startLine
	}
	return false
}

// isStepped tells whether what begins with a name of the tool's may be stepped over.
func isStepped(name []byte) bool { return bytes.Compare(name, []byte(reserved.NeededFrom)) < 0 }

// stepOverMember steps over a name and its value. It returns the name, or nil where something is out of the ordinary.
func (d *decoder) stepOverMember() []byte {
	d.pos += len(`"`)
	start := d.pos
	d.pos += jsontext.PlainPrefix(d.src[d.pos:min(d.pos+MaxNameBytes+1, len(d.src))])
	name := d.src[start:d.pos]
	if nameProblem(name) != "" || d.pos == len(d.src) || d.src[d.pos] != '"' {
		return nil
	}
	d.pos++
	if !d.accept(':') {
		return nil
	}
	if d.skipSpace(); d.pos == len(d.src) || d.src[d.pos] != '"' || !d.stepOverString() {
		return nil
	}
	return name
}

// stepOverString steps over the string at the current position, and tells whether it is valid and not too long.
func (d *decoder) stepOverString() bool {
	d.pos++
	size := 0
	for d.pos < len(d.src) {
		n := jsontext.PlainPrefix(d.src[d.pos:])
		d.pos += n
		size += n
		if d.pos == len(d.src) {
			return false
		}
		switch c := d.src[d.pos]; {
		case c == '"':
			d.pos++
			return size <= MaxValueBytes
		case c == '\\':
			r, reason := d.escaped()
			if reason != "" {
				return false
			}
			size += utf8.RuneLen(r)
		case c < ' ':
			return false
		default:
			r, n := utf8.DecodeRune(d.src[d.pos:])
			if r == utf8.RuneError && n == 1 {
				return false
			}
			d.pos += n
			size += n
		}
	}
	return false
}
