//go:build !quickkdf

package kdf

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
)

// eachDeriver runs test with every implementation of this processor.
func eachDeriver(t *testing.T, test func(t *testing.T, d *Deriver)) {
	for _, i := range Implementations() {
		t.Run(string(i), func(t *testing.T) {
			d, err := New(i)
			if err != nil {
				t.Fatal(err)
			}
			test(t, d)
		})
	}
}

// TestReferenceProgramVectors holds outputs of the reference implementation's command line program
// (argon2 SALT -id -t T -k M -p P -l LEN -r).
func TestReferenceProgramVectors(t *testing.T) {
	tests := []struct {
		passphrase, salt string
		p                Params
		want             string
	}{
		{"correct horse battery staple", "saltsaltsaltsalt", MVT1(), "a292bfd7695ec2bdb3e58a542ae7090945c04a290819837eaa3477bcbd9ef20a"},
		{"x", "0123456789abcdef", MVT1(), "89c4c4516e04b65e59dfa5571eb1cd22b5644e501bdd41411b7ac521bf125ba2"},
		{"password", "somesalt", Params{256, 2, 1, 24}, "efd08f041b452c025edf232a88a1ef7fbcf05c589e70b062"},
		{"password", "somesaltsomesalt", Params{32, 1, 4, 64}, "46eb26318bfa4df2580d1ef46ff0a992c093ab48e6d0ede6a03ed3958b8918c4700f58e22789a1f2ac6f78838741de3391c63192e519a4f48d2a5adf6763d6cf"},
	}
	eachDeriver(t, func(t *testing.T, d *Deriver) {
		for _, tt := range tests {
			got := make([]byte, tt.p.KeyBytes)
			if err := d.Derive(t.Context(), tt.p, got, []byte(tt.passphrase), []byte(tt.salt)); err != nil {
				t.Fatal(err)
			}
			if hex.EncodeToString(got) != tt.want {
				t.Errorf("%+v of %q: got %x, want %s", tt.p, tt.passphrase, got, tt.want)
			}
		}
	})
}

func TestMVT1IsWhatTheFormatFixes(t *testing.T) {
	if MVT1() != (Params{MemoryKiB: 65536, Iterations: 3, Lanes: 4, KeyBytes: 32}) {
		t.Errorf("MVT1 = %+v", MVT1())
	}
	if argon2.Version != 0x13 {
		t.Errorf("Argon2 version %#x, the format says 0x13", argon2.Version)
	}
}

// TestRepeatedDerivationsAgree runs the second and third derivation on recycled memory.
func TestRepeatedDerivationsAgree(t *testing.T) {
	var first []byte
	eachDeriver(t, func(t *testing.T, d *Deriver) {
		for range 3 {
			got := make([]byte, MVT1().KeyBytes)
			if err := d.Derive(t.Context(), MVT1(), got, []byte("p"), []byte("0123456789abcdef")); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = got
			}
			if !bytes.Equal(first, got) {
				t.Fatalf("%x, then %x", first, got)
			}
		}
		if d.Problem() != nil {
			t.Error(d.Problem())
		}
	})
}

func TestInvalidParameters(t *testing.T) {
	salt := []byte("0123456789abcdef")
	tests := []struct {
		name    string
		change  func(*Params)
		dstLen  int
		saltLen int
		want    string
	}{
		{"no iterations", func(p *Params) { p.Iterations = 0 }, 32, 16, "0 iterations"},
		{"no lanes", func(p *Params) { p.Lanes = 0 }, 32, 16, "0 lanes"},
		{"little memory", func(p *Params) { p.MemoryKiB = 31 }, 32, 16, "31 KiB"},
		{"bytes for KiB", func(p *Params) { p.MemoryKiB = 64 << 20 }, 32, 16, "KiB"},
		{"short key", func(p *Params) { p.KeyBytes = 3 }, 3, 16, "3 bytes"},
		{"short salt", func(*Params) {}, 32, 7, "salt of 7"},
		{"small destination", func(*Params) {}, 31, 16, "31 bytes"},
		{"large destination", func(*Params) {}, 33, 16, "33 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := MVT1()
			tt.change(&p)
			dst := bytes.Repeat([]byte{0xA5}, tt.dstLen)
			err := p.Derive(dst, []byte("p"), salt[:tt.saltLen])
			if !errors.Is(err, ErrParams) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want ErrParams naming %q", err, tt.want)
			}
			if !bytes.Equal(dst, bytes.Repeat([]byte{0xA5}, tt.dstLen)) {
				t.Error("the destination was touched")
			}
		})
	}
}

// BenchmarkDerive compares the implementations, and a plain argon2.IDKey call. A derivation happens once
// in a process's life, so what counts is the first: `make bench` measures that with whole processes;
// these show the steady state.
func BenchmarkDerive(b *testing.B) {
	passphrase, salt := []byte("correct horse battery staple"), []byte("0123456789abcdef")
	dst := make([]byte, MVT1().KeyBytes)
	for _, i := range Implementations() {
		d, err := New(i)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(i), func(b *testing.B) {
			for b.Loop() {
				if err := d.Derive(b.Context(), MVT1(), dst, passphrase, salt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			argon2.IDKey(passphrase, salt, MVT1().Iterations, MVT1().MemoryKiB, MVT1().Lanes, MVT1().KeyBytes)
		}
	})
}
