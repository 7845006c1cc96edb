package keycache

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/keycache/keycachetest"
)

// needKeyring skips where the kernel or the container refuses keyrings, and leaves none of our keys.
func needKeyring(t *testing.T) {
	t.Helper()
	release, err := keycachetest.Hold()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	if _, err := Clear(); err != nil {
		t.Skipf("no keyring here: %v", err)
	}
	t.Cleanup(func() { _, _ = Clear() })
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func newCache(t *testing.T, ttl time.Duration) *Cache {
	t.Helper()
	c, err := New(ttl)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStoreAndLoad(t *testing.T) {
	needKeyring(t)
	c := newCache(t, time.Minute)
	key, passphrase, salt := random(32), []byte("correct horse battery staple"), random(16)
	got := make([]byte, 32)
	if c.Load(got, passphrase, salt) {
		t.Fatal("found what was not stored")
	}
	c.Store(key, passphrase, salt)
	if err := c.Problem(); err != nil {
		t.Fatal(err)
	}
	if !c.Load(got, passphrase, salt) || !bytes.Equal(got, key) {
		t.Fatalf("loaded %x, want %x", got, key)
	}
	clear(got)
	for name, other := range map[string][]byte{
		"another passphrase": []byte("correct horse battery stapl3"), "a shorter one": passphrase[:27], "none": nil,
	} {
		if c.Load(got, other, salt) || !bytes.Equal(got, make([]byte, 32)) {
			t.Errorf("%s got a key", name)
		}
	}
	if c.Load(got, passphrase, random(16)) {
		t.Error("another salt got a key")
	}
	if c.Load(make([]byte, 31), passphrase, salt) {
		t.Error("a key of 31 bytes")
	}
}

func TestStoreReplaces(t *testing.T) {
	needKeyring(t)
	c := newCache(t, time.Minute)
	salt, got := random(16), make([]byte, 32)
	first, second := random(32), random(32)
	c.Store(first, []byte("one"), salt)
	c.Store(second, []byte("two"), salt)
	if c.Load(got, []byte("one"), salt) {
		t.Error("the replaced entry still answers")
	}
	if !c.Load(got, []byte("two"), salt) || !bytes.Equal(got, second) {
		t.Error("the new entry does not answer")
	}
}

func TestTimeToLive(t *testing.T) {
	needKeyring(t)
	c := newCache(t, time.Second)
	salt, got := random(16), make([]byte, 32)
	c.Store(random(32), []byte("p"), salt)
	if !c.Load(got, []byte("p"), salt) {
		t.Fatal("not there at once")
	}
	time.Sleep(2500 * time.Millisecond)
	if c.Load(got, []byte("p"), salt) {
		t.Error("still there after its time")
	}
	if err := c.Problem(); err != nil {
		t.Errorf("an expired entry is no problem: %v", err)
	}
}

func TestForgetAndClear(t *testing.T) {
	needKeyring(t)
	c := newCache(t, time.Minute)
	a, b, got := random(16), random(16), make([]byte, 32)
	c.Store(random(32), []byte("p"), a)
	c.Store(random(32), []byte("p"), b)
	c.Forget(a)
	if c.Load(got, []byte("p"), a) || !c.Load(got, []byte("p"), b) {
		t.Error("Forget took the wrong entry, or none")
	}
	if n, err := Clear(); n != 1 || err != nil {
		t.Errorf("Clear removed %d, %v; want 1", n, err)
	}
	if c.Load(got, []byte("p"), b) {
		t.Error("there after Clear")
	}
}

func TestClearLeavesOthersAlone(t *testing.T) {
	needKeyring(t)
	id, err := unix.AddKey("user", "not-vault-tool:x", []byte("theirs"), unix.KEY_SPEC_USER_KEYRING)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.KeyctlInt(unix.KEYCTL_INVALIDATE, id, 0, 0, 0) })
	if _, err := Clear(); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", "not-vault-tool:x", 0); err != nil {
		t.Errorf("another program's key is gone: %v", err)
	}
}

func TestBoundsOfTimeToLive(t *testing.T) {
	for _, ttl := range []time.Duration{0, -time.Second, time.Millisecond, 25 * time.Hour} {
		if _, err := New(ttl); err == nil {
			t.Errorf("a time to live of %v was accepted", ttl)
		}
	}
}

// TestPermissions looks at what other users may do with an entry, as another user where possible.
func TestPermissions(t *testing.T) {
	if os.Getenv("KEYCACHE_TEST_SERIAL") != "" {
		tryToRead(t)
		return
	}
	needKeyring(t)
	c := newCache(t, time.Minute)
	salt := random(16)
	c.Store(random(32), []byte("p"), salt)
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", description(salt), 0)
	if err != nil {
		t.Fatal(err)
	}
	described, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, id)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains([]byte(described), []byte(";3f3f0000;")) {
		t.Errorf("entry has %s", described)
	}
	if os.Geteuid() != 0 {
		t.Skip("to become another user needs root")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestPermissions$")
	cmd.Env = append(os.Environ(), "KEYCACHE_TEST_SERIAL="+strconv.Itoa(id))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as another user: %v\n%s", err, out)
	}
}

func tryToRead(t *testing.T) {
	id, err := strconv.Atoi(os.Getenv("KEYCACHE_TEST_SERIAL"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, make([]byte, 100), 0); !errors.Is(err, unix.EACCES) {
		t.Errorf("reading another user's entry: %v, want EACCES", err)
	}
}

// TestDigestBindsEverything changes one input at a time.
func TestDigestBindsEverything(t *testing.T) {
	key, passphrase, salt := random(32), random(20), random(16)
	want := make([]byte, digestBytes)
	if err := digest(want, key, passphrase, salt); err != nil {
		t.Fatal(err)
	}
	if !matches(want, key, passphrase, salt) {
		t.Fatal("does not match itself")
	}
	flip := func(b []byte) []byte { c := bytes.Clone(b); c[0] ^= 1; return c }
	if matches(want, flip(key), passphrase, salt) || matches(want, key, flip(passphrase), salt) ||
		matches(want, key, passphrase, flip(salt)) || matches(flip(want), key, passphrase, salt) {
		t.Error("matches with one input changed")
	}
}
