package keysource

import (
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// The extended attribute of a POSIX access control list (linux/posix_acl_xattr.h): a version, then entries of
// tag, permissions and id, all little-endian.
const (
	aclAttribute  = "system.posix_acl_access"
	aclVersion    = 2
	aclHeadBytes  = 4
	aclEntryBytes = 8
	aclMaxBytes   = 4096 // far more entries than the list of a key has

	aclUserObj  = 0x01
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
	aclOther    = 0x20
)

const aclMayRead = 4

// readableByCallerOnly tells whether a file has an access control list that lets nobody read it but its owner
// and this process's user, and lets nobody but its owner write it.
func readableByCallerOnly(f *os.File) bool {
	var list [aclMaxBytes]byte
	n, err := unix.Fgetxattr(int(f.Fd()), aclAttribute, list[:])
	return err == nil && listNamesOnly(list[:n], uint32(os.Geteuid()))
}

// listNamesOnly reads an access control list: of all users and groups only uid has a permission, to read.
func listNamesOnly(list []byte, uid uint32) bool {
	if len(list) < aclHeadBytes || binary.LittleEndian.Uint32(list) != aclVersion || (len(list)-aclHeadBytes)%aclEntryBytes != 0 {
		return false
	}
	entries := list[aclHeadBytes:]
	mask := uint16(0o7)
	for e := entries; len(e) > 0; e = e[aclEntryBytes:] {
		if binary.LittleEndian.Uint16(e) == aclMask {
			mask = binary.LittleEndian.Uint16(e[2:])
		}
	}
	named := false
	for e := entries; len(e) > 0; e = e[aclEntryBytes:] {
		tag, may, id := binary.LittleEndian.Uint16(e), binary.LittleEndian.Uint16(e[2:]), binary.LittleEndian.Uint32(e[4:])
		switch tag {
		case aclUserObj, aclMask:
		case aclUser:
			if may&mask == 0 {
				continue
			}
			if id != uid || may&mask != aclMayRead {
				return false
			}
			named = true
		case aclGroupObj, aclGroup:
			if may&mask != 0 {
				return false
			}
		case aclOther:
			if may != 0 {
				return false
			}
		default:
			return false
		}
	}
	return named
}
