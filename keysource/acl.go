package keysource

import (
	"os"

	"github.com/mazevault/vault-tool/internal/posixacl"
)

// readableByCallerOnly tells whether a file has an access control list that lets nobody read it but its owner
// and this process's user, and lets nobody but its owner write it.
func readableByCallerOnly(f *os.File) bool {
	list, err := posixacl.OfFile(f)
	return err == nil && namesOnly(list, uint32(os.Geteuid()))
}

// namesOnly tells whether of all users and groups only uid has a permission, to read.
func namesOnly(list posixacl.List, uid uint32) bool {
	grants := list.Grants()
	for _, g := range grants {
		if g.Tag != posixacl.User || g.ID != uid || g.May != posixacl.Read {
			return false
		}
	}
	return len(grants) > 0
}
