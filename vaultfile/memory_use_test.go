package vaultfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// TestOpenedVaultIsReadOnly: a callback that writes to a value ends in a fault, and changes it for nobody.
func TestOpenedVaultIsReadOnly(t *testing.T) {
	v := openPayload(t, []byte(`{"A":"1"}`))
	faulted := false
	func() {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() { faulted = recover() != nil }()
		_ = v.Use("A", func(value []byte) error {
			value[0] = '2'
			return nil
		})
	}()
	if got, err := v.Get("A"); !faulted || got != "1" || err != nil {
		t.Errorf("faulted: %v; the value is %q, %v", faulted, got, err)
	}
	v.Close()
}

// TestBlanksTakeNoMemory: what is kept about a payload does not grow with its white space, or with quotes that are
// no members.
func TestBlanksTakeNoMemory(t *testing.T) {
	const size = 32 << 20
	blank := append(append([]byte(`{"A":"1",`), bytes.Repeat([]byte("\n"), size)...), `"B":"2"}`...)
	quotes := append([]byte(`{`), bytes.Repeat([]byte(`"`), size)...)
	for name, payload := range map[string][]byte{"newlines": blank, "quotes": quotes} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		entries, _, err := decodePayload(payload, false)
		runtime.ReadMemStats(&after)
		if (name == "newlines") != (err == nil && len(entries) == 2) {
			t.Errorf("%s: %d entries, %v", name, len(entries), err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > size {
			t.Errorf("%s: %d bytes allocated for a payload of %d", name, took, size)
		}
	}
}

// TestManyLargeValues fills a vault with values that once took a mapping each.
func TestManyLargeValues(t *testing.T) {
	d := newDraft(nil)
	defer d.close()
	value := bytes.Repeat([]byte("x"), 17_500)
	for i := range 3000 {
		if _, err := d.Set("N"+strings.Repeat("n", i%200)+string(rune('a'+i%26)), value); err != nil {
			t.Fatal(err)
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the system does not list mappings")
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(maps, []byte("\n")); n > 2000 {
		t.Errorf("the process has %d mappings", n)
	}
}

// TestChangingOneValueTakesItsMemoryOnce: what an overwritten value held is used again, also when the lengths differ.
func TestChangingOneValueTakesItsMemoryOnce(t *testing.T) {
	before, ok := lockedKiB(t)
	if !ok {
		t.Skip("the system does not tell what is locked")
	}
	d := newDraft(nil)
	defer d.close()
	for i := range 100 {
		if _, err := d.Set("A", bytes.Repeat([]byte{'a' + byte(i%26)}, 1<<20+i)); err != nil {
			t.Fatal(err)
		}
	}
	if after, _ := lockedKiB(t); after-before > 10<<10 {
		t.Errorf("%d KiB are locked for one value of 1 MiB", after-before)
	}
}

// lockedKiB is how much memory the process has locked, as Linux tells.
func lockedKiB(t *testing.T) (kib int, ok bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	_, rest, ok := strings.Cut(string(status), "VmLck:")
	if !ok {
		return 0, false
	}
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib, true
}
