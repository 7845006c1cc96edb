// Package owner tells whose files are, where files have owners.
package owner

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"github.com/mazevault/vault-tool/internal/erase"
)

// Owner is the user and the group of a file.
type Owner struct{ UID, GID uint32 }

// Of returns the owner of a file. Where files have none, as on Windows, ok is false.
func Of(info fs.FileInfo) (o Owner, ok bool) { return of(info) }

// IsCaller tells whether a file is this process's user's. Where files have no owner, all of them are.
func IsCaller(info fs.FileInfo) bool {
	o, ok := of(info)
	return !ok || int(o.UID) == os.Geteuid()
}

// EverybodyMayReplace tells whether every user may remove or rename what is in a directory.
func EverybodyMayReplace(directory fs.FileInfo) bool {
	const everybodyWrites = fs.FileMode(0o002)
	_, ok := of(directory)
	return ok && directory.Mode()&everybodyWrites != 0 && directory.Mode()&fs.ModeSticky == 0
}

// Links returns how many names a file has.
func Links(info fs.FileInfo) uint64 { return links(info) }

// User is the name of a user, or the number where the system has no name for it.
func User(uid uint32) string {
	number := strconv.FormatUint(uint64(uid), 10)
	return elsewhere(func() string {
		if u, err := user.LookupId(number); err == nil {
			return u.Username
		}
		return number
	})
}

// Group is the name of a group, or the number where the system has no name for it.
func Group(gid uint32) string {
	number := strconv.FormatUint(uint64(gid), 10)
	return elsewhere(func() string {
		if g, err := user.LookupGroupId(number); err == nil {
			return g.Name
		}
		return number
	})
}

// elsewhere calls f outside [erase.Do]: a lookup is a call of C in a build with cgo.
func elsewhere(f func() string) (name string) {
	erase.Outside(func() { name = f() })
	return name
}
