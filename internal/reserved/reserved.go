// Package reserved has the names of a vault's entries that belong to the tool (docs/format.md, "Reserved names").
package reserved

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Name is the name of an entry that belongs to the tool. Users of the module cannot make one, so that what takes a Name is
// for the module alone.
type Name string

// The entries that stand alone, and the beginnings of those that belong to a secret, a folder or a key.
const (
	Settings Name = ".settings"
	Root     Name = ".folders" // the folder of the names without a '/'
	GitKey   Name = ".git/key" // of the digests that git shows in the place of values

	historyPrefix    = ".history/"
	folderPrefix     = string(Root) + "/"
	dropPrefix       = ".drop/"
	referencePrefix  = ".refs/"
	connectionPrefix = ".stores/"
)

// NeededFrom is the first of the names among which are those that every reader of secrets needs: what says which are references, and
// the connections to where those lead. What comes before, the history above all, may be stepped over.
const NeededFrom = referencePrefix

// IsNeeded tells whether a name is of what every reader of secrets needs.
func IsNeeded(name string) bool {
	return strings.HasPrefix(name, referencePrefix) || strings.HasPrefix(name, connectionPrefix)
}

// maxBytes is the most that a name may have.
const maxBytes = 255

// longPart begins what stands for a name that would be too long behind its prefix. No secret's name begins with '.'.
const longPart = ".long/"

// History is the entry of a secret's versions.
func History(secret string) Name { return below(historyPrefix, secret) }

// Folder is the entry of the folder at path; "" is that of the names without a '/'.
func Folder(path string) Name {
	if path == "" {
		return Root
	}
	return below(folderPrefix, path)
}

// Drop is the entry of the key for drops with the given id.
func Drop(id string) Name { return Name(dropPrefix + id) }

// Reference is the entry that says of a secret that it is a reference.
func Reference(secret string) Name { return below(referencePrefix, secret) }

// Connection is the entry of the connection to a store.
func Connection(name string) Name { return Name(connectionPrefix + name) }

// below is a name behind a prefix, or where that is too long the hash of the name (SHA-256, in hexadecimal).
func below(prefix, name string) Name {
	if len(prefix)+len(name) <= maxBytes {
		return Name(prefix + name)
	}
	hash := sha256.Sum256([]byte(name))
	return Name(prefix + longPart + hex.EncodeToString(hash[:]))
}

// IsLong tells whether the entry's name holds a hash in place of what it is about.
func (n Name) IsLong() bool {
	_, rest, _ := strings.Cut(string(n), "/")
	return strings.HasPrefix(rest, longPart)
}

// IsHistory tells whether a name is of a secret's versions, and if the name is not a hash, of which secret's.
func IsHistory(name string) (secret string, ok bool) { return cut(name, historyPrefix) }

// IsFolder tells whether a name is of a folder, and if the name is not a hash, of which path.
func IsFolder(name string) (path string, ok bool) {
	if name == string(Root) {
		return "", true
	}
	return cut(name, folderPrefix)
}

// IsDrop tells whether a name is of a key for drops, and of which.
func IsDrop(name string) (id string, ok bool) { return cut(name, dropPrefix) }

// IsReference tells whether a name is of what says that a secret is a reference, and if the name is not a hash, of which secret's.
func IsReference(name string) (secret string, ok bool) { return cut(name, referencePrefix) }

// IsConnection tells whether a name is of a connection, and of which.
func IsConnection(name string) (connection string, ok bool) { return cut(name, connectionPrefix) }

func cut(name, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(name, prefix)
	if strings.HasPrefix(rest, longPart) {
		rest = ""
	}
	return rest, ok
}

// FolderOf is the path of a secret's folder: its name up to the last '/'.
func FolderOf(secret string) string {
	return secret[:max(strings.LastIndexByte(secret, '/'), 0)]
}
