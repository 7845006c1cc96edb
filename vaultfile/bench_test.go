package vaultfile

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// benchmarkSizes are the numbers of secrets that the benchmarks compare.
var benchmarkSizes = []int{27, 100_000}

// benchmarkPayload returns the canonical payload of n secrets with values of 60 bytes.
func benchmarkPayload(n int) []byte {
	payload := []byte{'{'}
	for i := range n {
		if i > 0 {
			payload = append(payload, ',')
		}
		payload = fmt.Appendf(payload, `"SERVICE_%06d_PASSWORD":"%060d"`, i, i)
	}
	return append(payload, '}')
}

func openPayload(tb testing.TB, payload []byte) *Vault {
	tb.Helper()
	buf, err := lockedmem.NewOwn(len(payload))
	if err != nil {
		tb.Fatal(err)
	}
	copy(buf.Bytes(), payload)
	v, err := newVault(buf, true)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(v.Close)
	return v
}

func forSizes(b *testing.B, run func(b *testing.B, payload []byte)) {
	for _, n := range benchmarkSizes {
		b.Run(fmt.Sprintf("secrets=%d", n), func(b *testing.B) {
			payload := benchmarkPayload(n)
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			run(b, payload)
		})
	}
}

// BenchmarkDecode reads a payload without escapes, which is left as it is: decoding in place can be
// repeated.
func BenchmarkDecode(b *testing.B) {
	forSizes(b, func(b *testing.B, payload []byte) {
		for b.Loop() {
			if _, _, err := decodePayload(payload, false); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	forSizes(b, func(b *testing.B, payload []byte) {
		draft := newDraft(openPayload(b, payload))
		for b.Loop() {
			buf, err := draft.encode()
			if err != nil {
				b.Fatal(err)
			}
			buf.Destroy()
		}
	})
}

func BenchmarkNames(b *testing.B) {
	forSizes(b, func(b *testing.B, payload []byte) {
		v := openPayload(b, payload)
		for b.Loop() {
			_ = v.Names()
		}
	})
}

func BenchmarkUse(b *testing.B) {
	forSizes(b, func(b *testing.B, payload []byte) {
		v := openPayload(b, payload)
		b.SetBytes(0)
		for b.Loop() {
			if err := v.Use("SERVICE_000013_PASSWORD", func([]byte) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkUpdateWithHistory changes 1,000 secrets that have ten versions each, and so writes 1,000 records.
func BenchmarkUpdateWithHistory(b *testing.B) {
	path := filepath.Join(b.TempDir(), "secrets.vault")
	u := NewUnlocker(passphrase("correct horse battery staple"))
	defer u.Close()
	options := UpdateOptions{CreateMissing: true, WriteOptions: WriteOptions{History: DefaultHistory(), Author: Author{Who: "me@host", Command: "apply"}}}
	round := 0
	update := func() {
		round++
		_, err := Update(b.Context(), path, u, options, func(d *Draft) error {
			for i := range 1000 {
				if _, err := d.Set(fmt.Sprintf("SERVICE_%06d_PASSWORD", i), fmt.Appendf(nil, "%060d", round*1000+i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for range DefaultHistory().Keep {
		update()
	}
	b.ReportAllocs()
	for b.Loop() {
		erase.Do(update) // as a command does it: allocations are dear there
	}
}
