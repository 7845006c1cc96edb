package kdf

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
)

func TestImplementations(t *testing.T) {
	all := Implementations()
	if all[len(all)-1] != Generic {
		t.Errorf("the last of %q is not the generic one", all)
	}
	for _, i := range all {
		if d, err := New(i); err != nil || d.Implementation() != i {
			t.Errorf("New(%q): %v", i, err)
		}
	}
	if d, err := New(""); err != nil || d.Implementation() != all[0] {
		t.Errorf(`New(""): %v`, err)
	}
	for _, i := range []Implementation{"sse2", "AVX2", AVX512, AVX2} {
		if slices.Contains(all, i) {
			continue
		}
		if _, err := New(i); !errors.Is(err, ErrImplementation) {
			t.Errorf("New(%q): error %v, want ErrImplementation", i, err)
		}
	}
}

var cheap = Params{MemoryKiB: 64, Iterations: 2, Lanes: 2, KeyBytes: 32}

// TestWrongKnownAnswer has an implementation that is wrong in one bit: x/crypto derives in its place.
func TestWrongKnownAnswer(t *testing.T) {
	calls := 0
	d := newDeriver(AVX2, func(dst, passphrase, salt []byte, p Params) error {
		calls++
		err := deriveGeneric(dst, passphrase, salt, p)
		dst[0] ^= 1
		return err
	})
	var keys [2][]byte
	for i := range keys {
		keys[i] = make([]byte, cheap.KeyBytes)
		if err := d.Derive(t.Context(), cheap, keys[i], []byte("p"), []byte("01234567")); err != nil {
			t.Fatal(err)
		}
	}
	want := make([]byte, cheap.KeyBytes)
	if err := deriveGeneric(want, []byte("p"), []byte("01234567"), cheap); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(keys[0], want) || !bytes.Equal(keys[1], want) {
		t.Error("a key of the wrong implementation was used")
	}
	if calls != 1 {
		t.Errorf("the known answer was computed %d times", calls)
	}
	if !errors.Is(d.Problem(), ErrKnownAnswer) || d.Implementation() != Generic {
		t.Errorf("problem %v, implementation %s", d.Problem(), d.Implementation())
	}
}

// TestWaitingCallerGivesUp cancels a caller that waits for another derivation to end.
func TestWaitingCallerGivesUp(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	slow := &Deriver{Generic, func(_, _, _ []byte, _ Params) error {
		close(begun)
		<-end
		return nil
	}, func() error { return nil }}
	ended := make(chan error)
	go func() {
		ended <- slow.Derive(context.Background(), cheap, make([]byte, cheap.KeyBytes), nil, make([]byte, 16))
	}()
	<-begun

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dst := bytes.Repeat([]byte{0xA5}, int(cheap.KeyBytes))
	if err := Default().Derive(ctx, cheap, dst, []byte("p"), make([]byte, 16)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if !bytes.Equal(dst, bytes.Repeat([]byte{0xA5}, int(cheap.KeyBytes))) {
		t.Error("the destination was touched")
	}
	close(end)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
