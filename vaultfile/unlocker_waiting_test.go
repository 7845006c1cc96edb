package vaultfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// heldCache is a cache that has nothing and holds up whoever asks it, as a derivation does.
type heldCache struct {
	asked chan struct{} // gets an element from each that asks
	goOn  chan struct{} // closed to let them go on
}

func (c *heldCache) Load(_, _, _ []byte) bool {
	c.asked <- struct{}{}
	<-c.goOn
	return false
}

func (*heldCache) Store(_, _, _ []byte) {}
func (*heldCache) Forget([]byte)        {}

// TestNobodyWaitsForAnothersDerivation: while one key is derived, another vault opens with a key that is there, and
// who wants the same key waits no longer than its context lives.
func TestNobodyWaitsForAnothersDerivation(t *testing.T) {
	cheapKDF(t)
	known := createVault(t, newUnlocker(t, testPassphrase), map[string]string{"A": "known"})
	other := createVault(t, newUnlocker(t, testPassphrase), map[string]string{"A": "other"})
	cache := &heldCache{asked: make(chan struct{}, 8), goOn: make(chan struct{})}
	u := newUnlocker(t, passphrase(testPassphrase))
	wantContent(t, known, u, map[string]string{"A": "known"})
	u.cache = cache

	opened := make(chan error, 2)
	open := func() {
		v, err := Open(t.Context(), other, u)
		if err == nil {
			v.Close()
		}
		opened <- err
	}
	go open()
	<-cache.asked // the derivation has begun

	wantContent(t, known, u, map[string]string{"A": "known"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, other, u)
	wantError(t, err, context.Canceled)

	go open() // waits for the first, and derives nothing
	close(cache.goOn)
	for range 2 {
		if err := <-opened; err != nil {
			t.Error(err)
		}
	}
	if len(cache.asked) > 0 {
		t.Error("the same key was derived twice")
	}
	wantReleased(t, u, 2)
}

// changingSource has the passphrase of the moment.
type changingSource struct{ now passphrase }

func (s *changingSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	return s.now.Passphrase(ctx, use)
}

// TestWrongKeyHidesNoUpdate: a wrong key that was tried does not stand in front of the one that opened the vault.
func TestWrongKeyHidesNoUpdate(t *testing.T) {
	cheapKDF(t)
	writer := newUnlocker(t, testPassphrase)
	path := createVault(t, writer, map[string]string{"A": "1"})
	source := &changingSource{testPassphrase}
	u := newUnlocker(t, source)
	wantContent(t, path, u, map[string]string{"A": "1"})

	source.now = "a wrong one"
	wantError(t, u.Check(t.Context(), path), ErrDecryption)
	if _, err := Update(t.Context(), path, writer, UpdateOptions{}, setAll(map[string]string{"A": "2"})); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, u, map[string]string{"A": "2"})
}

// TestSuccessorReports tells of a successor that opened the vault, and of one that was not used.
func TestSuccessorReports(t *testing.T) {
	cheapKDF(t)
	path := createVault(t, newUnlocker(t, testPassphrase), nil)
	refused := errors.New("it belongs to somebody else")
	tests := []struct {
		source *staticRotation
		want   []SuccessorReport
	}{
		{&staticRotation{passphrase: testPassphrase, next: "not looked at"}, nil},
		{&staticRotation{passphrase: "old", next: testPassphrase}, []SuccessorReport{{Vault: path, Opened: "next"}}},
		{&staticRotation{passphrase: "wrong", err: refused}, []SuccessorReport{{Vault: path, Err: refused}}},
		{&staticRotation{passphrase: "wrong", next: "wrong too"}, nil},
	}
	for i, tt := range tests {
		var got []SuccessorReport
		u := NewUnlocker(tt.source, WithSuccessorReport(func(r SuccessorReport) { got = append(got, r) }))
		v, err := Open(t.Context(), path, u)
		if err == nil {
			v.Close()
		}
		u.Close()
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%d: reports %v, want %v", i, got, tt.want)
		}
	}
}

// TestWrongKeyReadsOnce: a large file is not read again for a key that was tried on it.
func TestWrongKeyReadsOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts what is read by /proc/self/io")
	}
	cheapKDF(t)
	const size = 32 << 20
	path := createVault(t, newUnlocker(t, testPassphrase), map[string]string{"A": strings.Repeat("x", size)})
	u := newUnlocker(t, passphrase("wrong"))
	before := bytesRead(t)
	_, err := Open(t.Context(), path, u)
	wantError(t, err, ErrDecryption)
	if read := bytesRead(t) - before; read > size*3/2 {
		t.Errorf("read %d bytes of a file of %d", read, size)
	}
}

// bytesRead is how much this process has read so far.
func bytesRead(t *testing.T) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip(err)
	}
	if _, err := fmt.Sscanf(string(text), "rchar: %d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTornRead: a vault that becomes shorter while it is read has changed, whatever it is then.
func TestTornRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.vault")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	writeFile(t, path, append([]byte(magic), make([]byte, 100)...))
	id, err := identify(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(50); err != nil {
		t.Fatal(err)
	}
	var tag [tagBytes]byte
	_, err = f.ReadAt(tag[:], id.bytes-tagBytes)
	wantError(t, cutShort(err), ErrChanged)
}
