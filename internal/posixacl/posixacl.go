// Package posixacl reads POSIX access control lists, which give users and groups more than the mode of a file shows.
package posixacl

import (
	"encoding/binary"
	"errors"
)

// Tag says whom an entry is about.
type Tag uint16

// The tags of entries (linux/posix_acl.h).
const (
	UserObj  Tag = 0x01 // the file's owner
	User     Tag = 0x02 // the user ID
	GroupObj Tag = 0x04 // the file's group
	Group    Tag = 0x08 // the group ID
	Mask     Tag = 0x10 // the most that all others but UserObj and Other have
	Other    Tag = 0x20
)

// Permissions are those of a mode.
type Permissions uint16

// The bits of permissions.
const (
	Execute Permissions = 1
	Write   Permissions = 2
	Read    Permissions = 4
)

// Entry is an entry of a list.
type Entry struct {
	Tag Tag
	May Permissions
	ID  uint32 // of a User or a Group
}

// List is the list of a file. The zero value belongs to a file that has none.
type List []Entry

// ErrForm: a list that this package does not understand.
var ErrForm = errors.New("an access control list of an unknown form")

// The extended attribute of a list (linux/posix_acl_xattr.h): a version, then entries of tag, permissions and ID, all little-endian.
const (
	Attribute  = "system.posix_acl_access"
	version    = 2
	headBytes  = 4
	entryBytes = 8
	maxBytes   = 4096 // far more entries than lists have
)

// Parse reads the attribute. The error is ErrForm.
func Parse(raw []byte) (List, error) {
	if len(raw) < headBytes || binary.LittleEndian.Uint32(raw) != version || (len(raw)-headBytes)%entryBytes != 0 {
		return nil, ErrForm
	}
	var list List
	for e := raw[headBytes:]; len(e) > 0; e = e[entryBytes:] {
		entry := Entry{Tag(binary.LittleEndian.Uint16(e)), Permissions(binary.LittleEndian.Uint16(e[2:])), binary.LittleEndian.Uint32(e[4:])}
		switch entry.Tag {
		case UserObj, User, GroupObj, Group, Mask, Other:
			list = append(list, entry)
		default:
			return nil, ErrForm
		}
	}
	return list, nil
}

// Encode makes the attribute.
func (l List) Encode() []byte {
	raw := binary.LittleEndian.AppendUint32(nil, version)
	for _, e := range l {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(e.Tag))
		raw = binary.LittleEndian.AppendUint16(raw, uint16(e.May))
		raw = binary.LittleEndian.AppendUint32(raw, e.ID)
	}
	return raw
}

// Grants returns what others than the owner may do: their entries, less what the mask takes, and without those of whom nothing is left.
func (l List) Grants() []Entry {
	mask := Read | Write | Execute
	for _, e := range l {
		if e.Tag == Mask {
			mask = e.May
		}
	}
	var grants []Entry
	for _, e := range l {
		switch e.Tag {
		case User, GroupObj, Group:
			e.May &= mask
		case UserObj, Mask:
			continue
		}
		if e.May != 0 {
			grants = append(grants, e)
		}
	}
	return grants
}
