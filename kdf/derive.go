package kdf

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/kdf/internal/argon2simd"
)

// Implementation is code that computes Argon2id. All of them give the same key.
type Implementation string

// The implementations.
const (
	AVX512  Implementation = "avx512"  // for processors with AVX-512F, on Linux
	AVX2    Implementation = "avx2"    // for processors with AVX2, on Linux
	Generic Implementation = "generic" // golang.org/x/crypto/argon2, for all
)

// Implementations returns those that this processor and system have, the fastest first. The last one is
// always [Generic].
func Implementations() []Implementation {
	var all []Implementation
	for _, set := range argon2simd.Sets() {
		all = append(all, Implementation(set))
	}
	return append(all, Generic)
}

var (
	// ErrImplementation is wrapped by the error for an implementation that is not known or not to be had.
	ErrImplementation = errors.New("kdf: no such implementation of Argon2id here")

	// ErrMemory is wrapped by the error of a derivation that the system does not give its memory for.
	ErrMemory = errors.New("kdf: not enough memory for the key derivation")

	// ErrKnownAnswer is what [Deriver.Problem] wraps.
	ErrKnownAnswer = errors.New("kdf: a known answer came out wrong")
)

// Deriver derives keys with one implementation. It is safe for concurrent use.
type Deriver struct {
	implementation Implementation
	derive         deriveFunc
	check          func() error // computes the known answer, once
}

// deriveFunc derives with parameters that were checked, on at most so many threads. An error leaves dst alone.
type deriveFunc func(dst, passphrase, salt []byte, p Params, threads int) error

// New returns a Deriver with the given implementation; "" is the fastest there is. The error wraps
// [ErrImplementation] and names those there are.
func New(i Implementation) (*Deriver, error) {
	all := Implementations()
	if i == "" {
		i = all[0]
	}
	if !slices.Contains(all, i) {
		names := make([]string, len(all))
		for n, a := range all {
			names[n] = string(a)
		}
		return nil, fmt.Errorf("%w: %q; there are %s", ErrImplementation, i, strings.Join(names, ", "))
	}
	if i == Generic {
		return &Deriver{i, deriveGeneric, func() error { return nil }}, nil
	}
	return newDeriver(i, func(dst, passphrase, salt []byte, p Params, threads int) error {
		return deriveSIMD(argon2simd.Set(i), threads, dst, passphrase, salt, p)
	}), nil
}

func newDeriver(i Implementation, derive deriveFunc) *Deriver {
	return &Deriver{implementation: i, derive: derive, check: sync.OnceValue(func() error { return checkKnownAnswer(i, derive) })}
}

// Default returns the Deriver of the fastest implementation, the same one at every call.
func Default() *Deriver { return fastest() }

var fastest = sync.OnceValue(func() *Deriver {
	d, err := New("")
	if err != nil {
		panic(err) // there is always one
	}
	return d
})

// Implementation returns what derives: the one that was asked for, or [Generic] where that one has a
// [Deriver.Problem].
func (d *Deriver) Implementation() Implementation {
	if d.Problem() != nil {
		return Generic
	}
	return d.implementation
}

// Problem returns an error wrapping [ErrKnownAnswer] where the implementation computes wrong keys on this
// machine, so that golang.org/x/crypto/argon2 derives instead. It is something to warn of: keys are right, but
// the processor, or what emulates it, is not.
func (d *Deriver) Problem() error { return d.check() }

// oneAtATime holds a place for the derivation that runs, or the two of DeriveBoth: each needs its own working memory.
var oneAtATime = make(chan struct{}, 1)

// Derive computes Argon2id over passphrase and salt and writes the key to dst.
//
// dst has exactly p.KeyBytes bytes and should be locked memory; salt has at least 8 bytes; the passphrase
// may have any length. It waits until other derivations of the process are done, or ctx ends. A
// derivation that has begun cannot be interrupted; with MVT1 it takes a few hundredths of a second.
//
// Errors wrap [ErrParams] or [ErrMemory], or are the context's, and dst is untouched then.
func (d *Deriver) Derive(ctx context.Context, p Params, dst, passphrase, salt []byte) error {
	if err := p.check(dst, salt); err != nil {
		return err
	}
	select {
	case oneAtATime <- struct{}{}:
		defer func() { <-oneAtATime }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return d.checked()(dst, passphrase, salt, p, argon2simd.Threads(int(p.Lanes)))
}

// checked is what derives: x/crypto where the implementation has a problem.
func (d *Deriver) checked() deriveFunc {
	if d.Problem() != nil {
		return deriveGeneric
	}
	return d.derive
}

// Job is a derivation of DeriveBoth: as the arguments of Derive.
type Job struct{ Dst, Passphrase, Salt []byte }

// DeriveBoth is Derive for two keys, for a change from one to the other. They are derived side by side, with half of the
// threads each: two threads that fill a memory each wait for nothing, and are done before two that fill one after the
// other together. It takes the memory of two derivations; where that, or a second processor, is not to be had, it is
// one after the other. With an error either key may have been written.
func (d *Deriver) DeriveBoth(ctx context.Context, p Params, a, b Job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, j := range []Job{a, b} {
		if err := p.check(j.Dst, j.Salt); err != nil {
			return err
		}
	}
	threads := argon2simd.Threads(int(p.Lanes)) / 2
	if d.Implementation() != Generic && threads > 0 && memoryAllows(2*p.memoryBytes()) == nil {
		err := d.sideBySide(ctx, p, threads, a, b)
		if !errors.Is(err, ErrMemory) {
			return err
		}
	}
	if err := d.Derive(ctx, p, a.Dst, a.Passphrase, a.Salt); err != nil {
		return err
	}
	return d.Derive(ctx, p, b.Dst, b.Passphrase, b.Salt)
}

func (d *Deriver) sideBySide(ctx context.Context, p Params, threads int, a, b Job) error {
	select {
	case oneAtATime <- struct{}{}:
		defer func() { <-oneAtATime }()
	case <-ctx.Done():
		return ctx.Err()
	}
	derive := d.checked()
	other := make(chan error, 1)
	go func() { other <- derive(b.Dst, b.Passphrase, b.Salt, p, threads) }()
	err := derive(a.Dst, a.Passphrase, a.Salt, p, threads)
	return errors.Join(err, <-other)
}

// Derive is [Deriver.Derive] with the fastest implementation, and without a context.
func (p Params) Derive(dst, passphrase, salt []byte) error {
	return Default().Derive(context.Background(), p, dst, passphrase, salt)
}

// check tells what is wrong with the parameters, the destination or the salt.
func (p Params) check(dst, salt []byte) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if len(salt) < minSaltBytes {
		return fmt.Errorf("%w: a salt of %d bytes, the least is %d", ErrParams, len(salt), minSaltBytes)
	}
	if len(dst) != int(p.KeyBytes) {
		return fmt.Errorf("%w: room for %d bytes of a key of %d", ErrParams, len(dst), p.KeyBytes)
	}
	return nil
}

// deriveSIMD derives with an instruction set.
func deriveSIMD(set argon2simd.Set, threads int, dst, passphrase, salt []byte, p Params) error {
	if err := memoryAllows(p.memoryBytes()); err != nil {
		return err
	}
	var err error
	erase.Do(func() {
		err = argon2simd.Derive(set, threads, dst,
			argon2simd.Input{Passphrase: passphrase, Salt: salt},
			argon2simd.Params{MemoryKiB: p.MemoryKiB, Iterations: p.Iterations, Lanes: uint32(p.Lanes), KeyBytes: p.KeyBytes})
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMemory, err)
	}
	return nil
}

// knownParams are small enough for some microseconds, and large enough for all that the fill loop does.
var knownParams = Params{MemoryKiB: 32, Iterations: 3, Lanes: 4, KeyBytes: 32}

// knownAnswer is what the reference implementation answers to
// `printf passphrase | argon2 0123456789abcdef -id -k 32 -t 3 -p 4 -l 32 -r`.
const knownAnswer = "b4b9a1f5b4b454afb9884814c2c5595a8ba2344d6b15acb8f338ac91d4481c2e"

func checkKnownAnswer(i Implementation, derive deriveFunc) error {
	got := make([]byte, knownParams.KeyBytes)
	if err := derive(got, []byte("passphrase"), []byte("0123456789abcdef"), knownParams, 1); err != nil {
		return nil // the derivation itself will say it
	}
	if hex.EncodeToString(got) != knownAnswer {
		return fmt.Errorf("%w with %s", ErrKnownAnswer, i)
	}
	return nil
}
