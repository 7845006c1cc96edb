package render

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/erase"
)

// DefaultMode is the mode of a rendered file: for its owner to read.
const DefaultMode fs.FileMode = 0o400

// ParseMode reads permission bits in octal, such as "0440". A mode that lets others than owner and group touch the file, or
// that does not let its owner read it, is an [ErrMode].
func ParseMode(text string) (fs.FileMode, error) {
	const openToOthers, ownerReads = fs.FileMode(0o007), fs.FileMode(0o400)
	bits, err := strconv.ParseUint(strings.TrimPrefix(text, "0o"), 8, 32)
	mode := fs.FileMode(bits)
	switch {
	case err != nil || mode&^fs.ModePerm != 0:
		return 0, fmt.Errorf("%w: permission bits in octal are needed, such as 0400", ErrMode)
	case mode&openToOthers != 0:
		return 0, fmt.Errorf("%w: %04o would open the secrets to every user", ErrMode, mode)
	case mode&ownerReads == 0:
		return 0, fmt.Errorf("%w: %04o does not let the owner read", ErrMode, mode)
	}
	return mode, nil
}

// directoryMode lets those into a directory who may read the files in it.
func directoryMode(file fs.FileMode) fs.FileMode {
	const groupReads = fs.FileMode(0o040)
	if file&groupReads != 0 {
		return 0o750
	}
	return 0o700
}

// ParseOwner reads USER:GROUP, USER or :GROUP, each a name or a number. USER alone stands for the user's login group as well,
// and :GROUP for the user of this process. The error wraps [ErrOwner].
func ParseOwner(text string) (owner *durable.Owner, err error) {
	erase.Outside(func() { owner, err = parseOwner(text) }) // names are looked up by the C library in some builds
	return owner, err
}

func parseOwner(text string) (*durable.Owner, error) {
	userText, groupText, hasGroup := strings.Cut(text, ":")
	owner := &durable.Owner{UID: os.Geteuid()}
	if userText == "" && groupText == "" || hasGroup && groupText == "" || owner.UID < 0 {
		return nil, fmt.Errorf("%w: USER:GROUP is needed, names or numbers, where the system has such owners", ErrOwner)
	}
	var account *user.User
	if userText != "" {
		var err error
		if owner.UID, account, err = lookupUser(userText); err != nil {
			return nil, err
		}
	}
	switch {
	case hasGroup:
		return owner, lookupGroup(groupText, &owner.GID)
	case account == nil:
		return nil, fmt.Errorf("%w: user %d has no account, so its group must be given: %d:GROUP", ErrOwner, owner.UID, owner.UID)
	}
	return owner, parseID(account.Gid, &owner.GID)
}

// lookupUser returns the number of a user, and the account unless there is none for the number.
func lookupUser(text string) (uid int, account *user.User, err error) {
	if parseID(text, &uid) == nil {
		account, err = user.LookupId(strconv.Itoa(uid))
		if err != nil {
			account = nil
		}
		return uid, account, nil
	}
	if account, err = user.Lookup(text); err != nil {
		return 0, nil, fmt.Errorf("%w: there is no user %q", ErrOwner, text)
	}
	return uid, account, parseID(account.Uid, &uid)
}

func lookupGroup(text string, gid *int) error {
	if parseID(text, gid) == nil {
		return nil
	}
	group, err := user.LookupGroup(text)
	if err != nil {
		return fmt.Errorf("%w: there is no group %q", ErrOwner, text)
	}
	return parseID(group.Gid, gid)
}

// parseID reads the number of a user or group. The highest stands for "leave as it is" in chown(2).
func parseID(text string, id *int) error {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 1<<32-1 {
		return fmt.Errorf("%w: %q is no number of a user or group", ErrOwner, text)
	}
	*id = int(n)
	return nil
}

// checkGiveAway finds out before anything is changed whether this process can give files to owner.
func checkGiveAway(owner *durable.Owner) error {
	if owner == nil || mayChown() {
		return nil
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	if owner.UID == os.Geteuid() && (owner.GID == os.Getegid() || slices.Contains(groups, owner.GID)) {
		return nil
	}
	return fmt.Errorf("%w: cannot give files to %d:%d", ErrGiveAway, owner.UID, owner.GID)
}
