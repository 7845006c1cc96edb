package kdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
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
	d := newDeriver(AVX2, func(dst, passphrase, salt []byte, p Params, threads int) error {
		calls++
		err := deriveGeneric(dst, passphrase, salt, p, threads)
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
	if err := deriveGeneric(want, []byte("p"), []byte("01234567"), cheap, 1); err != nil {
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
	slow := &Deriver{Generic, func(_, _, _ []byte, _ Params, _ int) error {
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

// TestDeriveBoth: the keys are those of two derivations, whether there is memory for both at once or not, and one that
// fails is told.
func TestDeriveBoth(t *testing.T) {
	for _, i := range Implementations() {
		d, err := New(i)
		if err != nil {
			t.Fatal(err)
		}
		for _, scarce := range []bool{false, true} {
			var running atomic.Int32
			derive := d.derive
			limited := &Deriver{i, func(dst, passphrase, salt []byte, p Params, threads int) error {
				defer running.Add(-1)
				if n := running.Add(1); n > 1 && scarce {
					return fmt.Errorf("%w: of the test", ErrMemory)
				}
				return derive(dst, passphrase, salt, p, threads)
			}, d.check}
			p := Params{MemoryKiB: 1024, Iterations: 3, Lanes: 4, KeyBytes: 32}
			jobs := []Job{
				{make([]byte, p.KeyBytes), []byte("old"), []byte("0123456789abcdef")},
				{make([]byte, p.KeyBytes), []byte("new"), []byte("fedcba9876543210")},
			}
			if err := limited.DeriveBoth(t.Context(), p, jobs[0], jobs[1]); err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs {
				want := make([]byte, p.KeyBytes)
				if err := deriveGeneric(want, j.Passphrase, j.Salt, p, 1); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(j.Dst, want) {
					t.Errorf("%s, scarce memory %v: the key of %s is wrong", i, scarce, j.Passphrase)
				}
			}
		}
		good := Job{make([]byte, 32), nil, make([]byte, 16)}
		if err := d.DeriveBoth(t.Context(), cheap, good, Job{make([]byte, 31), nil, make([]byte, 16)}); !errors.Is(err, ErrParams) {
			t.Errorf("a destination of a wrong size: %v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.DeriveBoth(ended, cheap, good, good); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that has ended: %v", err)
		}
	}
}

// BenchmarkDeriveBoth compares two keys side by side with two one after the other.
func BenchmarkDeriveBoth(b *testing.B) {
	job := func() Job { return Job{make([]byte, 32), []byte("passphrase"), make([]byte, 16)} }
	x, y := job(), job()
	b.Run("both", func(b *testing.B) {
		for b.Loop() {
			if err := Default().DeriveBoth(b.Context(), MVT1(), x, y); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("in turn", func(b *testing.B) {
		for b.Loop() {
			for _, j := range []Job{x, y} {
				if err := Default().Derive(b.Context(), MVT1(), j.Dst, j.Passphrase, j.Salt); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
