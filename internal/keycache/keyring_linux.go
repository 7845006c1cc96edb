package keycache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// keyType "user" has a payload that its user can read back (keyrings(7)).
	keyType = "user"

	// permissions give the possessor and the user everything, and nobody else anything
	// (keyctl_setperm(3)). The possessor alone would not do: the keyring of a user is not linked into
	// every session's.
	permissions = 0x3f3f0000

	// serialBytes is the size of a key's number in the content of a keyring (key_serial_t).
	serialBytes = 4
)

// readEntry reads the payload of an entry of exactly len(dst) bytes straight into dst.
func readEntry(description string, dst []byte) (bool, error) {
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, keyType, description, 0)
	if isGone(err) {
		return false, nil
	}
	if err != nil {
		return false, unavailable("search", err)
	}
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, dst, 0)
	if isGone(err) {
		return false, nil
	}
	if err != nil {
		return false, unavailable("read", err)
	}
	return n == len(dst), nil
}

// writeEntry makes the entry in the keyring of the process, which dies with it, gives it its time to
// live and permissions, and only then links it where other processes find it.
func writeEntry(description string, payload []byte, ttl time.Duration) error {
	// Possession of what is in that keyring is a thread's, not the process's (process-keyring(7) is
	// installed in the credentials of the thread that first asks).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	id, err := unix.AddKey(keyType, description, payload, unix.KEY_SPEC_PROCESS_KEYRING)
	if err != nil {
		return unavailable("add", err)
	}
	// Whatever happens, the key does not stay with this process.
	defer func() { _, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, id, unix.KEY_SPEC_PROCESS_KEYRING, 0, 0) }()
	if err := unix.KeyctlSetperm(id, permissions); err != nil {
		return unavailable("set permissions", err)
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, int(max(ttl/time.Second, 1)), 0, 0); err != nil {
		return unavailable("set time to live", err)
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_LINK, id, unix.KEY_SPEC_USER_KEYRING, 0, 0); err != nil {
		return unavailable("link", err)
	}
	return nil
}

// removeEntries invalidates the entries that match, which ends them for whoever refers to them. One that
// cannot be removed does not keep the others.
func removeEntries(match func(description string) bool) (removed int, err error) {
	ids, err := userKeys()
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, id := range ids {
		d, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, id)
		if err != nil || !match(lastField(d)) {
			continue // gone meanwhile, or somebody else's
		}
		_, err = unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0)
		if err != nil && !isGone(err) {
			failed = append(failed, fmt.Errorf("invalidate key %d of the kernel keyring: %w", id, err))
			continue
		}
		removed++
	}
	return removed, errors.Join(failed...)
}

// userKeys returns the numbers of the keys in the user's keyring.
func userKeys() ([]int, error) {
	var buf []byte
	for {
		size, err := unix.KeyctlBuffer(unix.KEYCTL_READ, unix.KEY_SPEC_USER_KEYRING, buf, 0)
		if err != nil {
			return nil, unavailable("list", err)
		}
		if size <= len(buf) {
			buf = buf[:size]
			break
		}
		buf = make([]byte, size+16*serialBytes) // room for what is added meanwhile
	}
	var ids []int
	for ; len(buf) >= serialBytes; buf = buf[serialBytes:] {
		ids = append(ids, int(int32(binary.NativeEndian.Uint32(buf))))
	}
	return ids, nil
}

// lastField returns the description proper of "type;uid;gid;perm;description".
func lastField(described string) string {
	fields := strings.SplitN(described, ";", 5)
	return fields[len(fields)-1]
}

// isGone tells whether an error means that there is no such key any more.
func isGone(err error) bool {
	return errors.Is(err, unix.ENOKEY) || errors.Is(err, unix.EKEYEXPIRED) || errors.Is(err, unix.EKEYREVOKED)
}

func unavailable(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, err)
}
