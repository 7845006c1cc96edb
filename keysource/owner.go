package keysource

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/mazevault/vault-tool/internal/owner"
)

// ErrForeign: a key, or a link that leads to it, belongs to somebody who may have put it there to be used
// in place of the right one.
var ErrForeign = fmt.Errorf("vault key file belongs to another user")

// ForeignError is the detail of an [ErrForeign].
type ForeignError struct {
	Path  string // the file, or the link that leads to it
	Owner uint32 // its uid
	Key   string // the key whose place it is to take
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s belongs to uid %d, and not to the owner of %s, to you or to root", e.Path, e.Owner, e.Key)
}

// Unwrap makes the error match [ErrForeign].
func (e *ForeignError) Unwrap() error { return ErrForeign }

// owners says whose files are believed: those of a key's owner, of the caller and of root.
type owners struct {
	key     string
	keyUID  uint32
	hasKey  bool
	caller  uint32
	strange func(uid uint32) bool // a uid that several users may stand behind
}

// ownersFor returns whose files may take the place of the key file at path. Where that is missing they are the
// caller's and root's.
func ownersFor(path string) owners {
	o := owners{key: path, caller: uint32(os.Geteuid()), strange: owner.IsOverflow}
	if info, err := os.Stat(path); err == nil {
		o.keyUID, o.hasKey = ownerOf(info)
	}
	return o
}

// accept returns a ForeignError for a file or link of anybody else.
//
// In a user namespace all users that it does not know show as one, the overflow uid. A file of that uid is
// accepted in the place of a key of that uid, for there is no more to go by, and of no other key: it is neither
// the caller nor root, whoever they are.
func (o owners) accept(path string, info fs.FileInfo) error {
	uid, ok := ownerOf(info)
	if !ok { // files have no uid here
		return nil
	}
	same := o.hasKey && uid == o.keyUID
	if !o.strange(uid) {
		same = same || uid == o.caller || uid == 0
	}
	if same {
		return nil
	}
	return &ForeignError{Path: path, Owner: uid, Key: o.key}
}
