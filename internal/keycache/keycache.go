// Package keycache keeps derived keys for a while in the Linux kernel's keyring of the user
// (keyrings(7)), so that the next process with the same passphrase saves the derivation.
//
// The cache saves time and gives no authority: an entry is found by the vault's salt and used only
// after a comparison with the passphrase at hand. Without the right passphrase it opens nothing.
//
// Guarantees. An entry is readable by processes of the same user only, lives in kernel memory that is
// never swapped in the clear to a file of ours, and ends with its time to live, with [Cache.Clear], or
// with the machine. Its time to live is set before any other process can find it.
//
// Non-guarantees. Root, and any process of the same user, can read an entry while it lives, and with
// it open the vault it belongs to. That is what the user asks for by turning the cache on.
package keycache

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// ErrUnavailable says that the system has no keyring for this process: another system than Linux, or
// a kernel or container that refuses.
var ErrUnavailable = errors.New("the kernel keyring is not available")

// Bounds of the time to live.
const (
	MinTTL = time.Second
	MaxTTL = 24 * time.Hour
)

const (
	// prefix begins the description of every entry, and versions its layout.
	prefix = "vault-tool:mvt1:"

	// An entry is a digest, which binds it to passphrase and salt, and the key.
	digestBytes = sha256.Size
	keyBytes    = 32
	entryBytes  = digestBytes + keyBytes
)

// Cache is the cache of the current user. Nothing in it is an error to the one who wants a key: Load
// then finds nothing. The first thing that went wrong is told by [Cache.Problem].
type Cache struct {
	ttl     time.Duration
	problem error
}

// New returns the cache that keeps what it is given for ttl. The error says that ttl is outside
// MinTTL to MaxTTL.
func New(ttl time.Duration) (*Cache, error) {
	if ttl < MinTTL || ttl > MaxTTL {
		return nil, fmt.Errorf("a key is cached for 1s to 24h, not for %v", ttl)
	}
	return &Cache{ttl: ttl}, nil
}

// Problem returns why the cache could not be used, or nil.
func (c *Cache) Problem() error { return c.problem }

func (c *Cache) note(err error) {
	if c.problem == nil {
		c.problem = err
	}
}

// Load copies the key for salt and passphrase to key, which has 32 bytes and should be locked memory,
// and tells whether there was one.
func (c *Cache) Load(key, passphrase, salt []byte) bool {
	entry, err := lockedmem.New(entryBytes)
	if err != nil {
		c.note(err)
		return false
	}
	defer entry.Destroy()
	found, err := readEntry(description(salt), entry.Bytes())
	if err != nil {
		c.note(err)
	}
	if !found || err != nil || len(key) != keyBytes {
		return false
	}
	cached := entry.Bytes()[digestBytes:]
	if !matches(entry.Bytes()[:digestBytes], cached, passphrase, salt) {
		return false
	}
	copy(key, cached)
	return true
}

// Store keeps a key, of 32 bytes, that was derived from passphrase and salt.
func (c *Cache) Store(key, passphrase, salt []byte) {
	entry, err := lockedmem.New(entryBytes)
	if err != nil {
		c.note(err)
		return
	}
	defer entry.Destroy()
	if err := digest(entry.Bytes()[:digestBytes], key, passphrase, salt); err != nil {
		c.note(err)
		return
	}
	copy(entry.Bytes()[digestBytes:], key)
	if err := writeEntry(description(salt), entry.Bytes(), c.ttl); err != nil {
		c.note(err)
	}
}

// Forget removes the key for a salt, if there is one.
func (c *Cache) Forget(salt []byte) {
	if err := forget(salt); err != nil {
		c.note(err)
	}
}

func forget(salt []byte) error {
	_, err := removeEntries(func(d string) bool { return d == description(salt) })
	return err
}

// Forgetter is a cache that keeps nothing, for who forgets what others have kept.
type Forgetter struct{}

// Load finds nothing.
func (Forgetter) Load(_, _, _ []byte) bool { return false }

// Store does nothing.
func (Forgetter) Store(_, _, _ []byte) {}

// Forget removes the key for a salt, if there is one and the system lets it.
func (Forgetter) Forget(salt []byte) { _ = forget(salt) }

// Clear removes all keys of the current user at once, whatever vault they belong to, and returns how
// many there were. The error is ErrUnavailable or the system's.
func Clear() (int, error) {
	return removeEntries(func(d string) bool { return strings.HasPrefix(d, prefix) })
}

// description names an entry. A salt is no secret: it stands in the vault in the clear.
func description(salt []byte) string { return prefix + hex.EncodeToString(salt) }

// digestContext separates this use of the hash from any other of the same inputs.
const digestContext = "vault-tool key cache: salt, key, passphrase\x00"

// digest writes SHA-256 of salt, derived key and passphrase to dst. The key is part of the input, so
// that the digest by itself is no quick test for guesses of the passphrase; what stands before the
// passphrase has a fixed length, so that its boundary is clear. One call over one buffer, because the
// streaming form of the hash keeps copies on the heap.
func digest(dst, key, passphrase, salt []byte) error {
	input, err := lockedmem.New(len(digestContext) + len(salt) + len(key) + len(passphrase))
	if err != nil {
		return err
	}
	defer input.Destroy()
	message := append(input.Bytes()[:0], digestContext...)
	message = append(message, salt...)
	message = append(message, key...)
	message = append(message, passphrase...)
	erase.Do(func() {
		sum := sha256.Sum256(message)
		copy(dst, sum[:])
	})
	return nil
}

// matches compares in constant time.
func matches(want, key, passphrase, salt []byte) bool {
	var got [digestBytes]byte // no secret: it binds, but tells nothing without the key
	return digest(got[:], key, passphrase, salt) == nil && subtle.ConstantTimeCompare(got[:], want) == 1
}
