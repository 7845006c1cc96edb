package vaultfile

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func newTestDraft(t *testing.T, base string) *Draft {
	t.Helper()
	var d *Draft
	if base == "" {
		d = newDraft(nil)
	} else {
		d = newDraft(openPayload(t, []byte(base)))
	}
	t.Cleanup(d.close)
	return d
}

func wantSet(t *testing.T, d *Draft, name, value string, want Outcome) {
	t.Helper()
	if got, err := d.Set(name, []byte(value)); err != nil || got != want {
		t.Errorf("Set(%q) = %q, %v, want %q", name, got, err, want)
	}
}

func TestDraftSetOutcomes(t *testing.T) {
	d := newTestDraft(t, `{"A":"1","B":""}`)
	wantSet(t, d, "A", "1", Unchanged)
	wantSet(t, d, "B", "", Unchanged)
	if d.changed() {
		t.Error("changed by setting what it held")
	}
	wantSet(t, d, "A", "2", Updated)
	wantSet(t, d, "A", "2", Unchanged)
	wantSet(t, d, "C", "", Added)
	wantSet(t, d, "C", "3", Updated)
	if err := d.Delete("B"); err != nil {
		t.Fatal(err)
	}
	wantSet(t, d, "B", "4", Added)
	if got, want := encoded(t, d), `{"A":"2","B":"4","C":"3"}`; string(got) != want {
		t.Errorf("written as %s, want %s", got, want)
	}
}

// TestDraftBackToBase undoes every kind of change: then there is nothing to write.
func TestDraftBackToBase(t *testing.T) {
	const base = `{"A":"1","B":"2"}`
	d := newTestDraft(t, base)
	wantSet(t, d, "A", "changed", Updated)
	wantSet(t, d, "A", "1", Updated)
	if err := d.Delete("B"); err != nil {
		t.Fatal(err)
	}
	if !d.changed() {
		t.Error("unchanged though a secret is removed")
	}
	wantSet(t, d, "B", "2", Added)
	wantSet(t, d, "C", "3", Added)
	if err := d.Delete("C"); err != nil {
		t.Fatal(err)
	}
	if d.changed() || string(encoded(t, d)) != base {
		t.Errorf("changed: %v; written as %s", d.changed(), encoded(t, d))
	}
}

func TestDraftOfNewVault(t *testing.T) {
	d := newTestDraft(t, "")
	if !d.New() || !d.changed() || d.Has("A") || len(d.Names()) != 0 || string(encoded(t, d)) != "{}" {
		t.Error("the draft of a new vault is not a new and empty one")
	}
	wantError(t, d.Delete("A"), ErrNotFound)
	wantError(t, d.Use("A", nil), ErrNotFound)
	if newTestDraft(t, "{}").New() {
		t.Error("the draft of an empty vault is said to be new")
	}
}

func TestDraftUse(t *testing.T) {
	d := newTestDraft(t, `{"A":"1","B":"2"}`)
	wantSet(t, d, "A", "changed", Updated)
	failure := errors.New("of the callback")
	for name, want := range map[string]string{"A": "changed", "B": "2"} {
		err := d.Use(name, func(value []byte) error {
			if string(value) != want {
				t.Errorf("%s is %q, want %q", name, value, want)
			}
			return failure
		})
		wantError(t, err, failure)
	}
	if err := d.Delete("B"); err != nil {
		t.Fatal(err)
	}
	wantError(t, d.Use("B", nil), ErrNotFound)
	wantError(t, d.Delete("B"), ErrNotFound)
}

// TestDraftSetCopies changes the caller's bytes afterwards.
func TestDraftSetCopies(t *testing.T) {
	d := newTestDraft(t, "")
	value := []byte("value")
	if _, err := d.Set("A", value); err != nil {
		t.Fatal(err)
	}
	clear(value)
	if got := encoded(t, d); string(got) != `{"A":"value"}` {
		t.Errorf("written as %q", got)
	}
}

func TestDraftSetRefuses(t *testing.T) {
	d := newTestDraft(t, `{"A":"1"}`)
	for _, test := range []struct {
		name, value string
		want        error
	}{
		{"", "1", ErrBadName},
		{"a b", "1", ErrBadName},
		{"A", "\xff", ErrBadValue},
		{"A", "\xed\xa0\x80", ErrBadValue},
		{"A", strings.Repeat("x", MaxValueBytes+1), ErrTooLarge},
	} {
		_, err := d.Set(test.name, []byte(test.value))
		wantError(t, err, test.want)
	}
	if d.changed() {
		t.Error("changed by values that were refused")
	}
}

func TestDraftSetJSON(t *testing.T) {
	d := newTestDraft(t, `{"A":"1","B":"2"}`)
	if err := d.SetJSON([]byte(`{ "C": "\u0033", "A": "new" }`)); err != nil {
		t.Fatal(err)
	}
	const want = `{"A":"new","B":"2","C":"3"}`
	if got := encoded(t, d); string(got) != want {
		t.Errorf("written as %s, want %s", got, want)
	}
	for _, bad := range []string{``, `{"A":"newer","B":1}`, `{"A":"newer","A":"newest"}`, `{"A":"newer"`, `{"A":"newer"}}`} {
		err := d.SetJSON([]byte(bad))
		var payloadErr *PayloadError
		if !errors.As(err, &payloadErr) {
			t.Errorf("%s: error %v, want a PayloadError", bad, err)
		}
		if got := encoded(t, d); string(got) != want {
			t.Errorf("after %s: written as %s", bad, got)
		}
	}
}

func TestDraftNamesSorted(t *testing.T) {
	d := newTestDraft(t, `{"B":"","D":"","F":""}`)
	for _, name := range []string{"G", "E", "C", "A", "a", "A/B", "A-B", "D"} {
		if _, err := d.Set(name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Delete("F"); err != nil {
		t.Fatal(err)
	}
	if got, want := d.Names(), strings.Fields("A A-B A/B B C D E G a"); !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
}

// TestDraftAgainstModel makes random changes to a draft and to a map and compares the two.
func TestDraftAgainstModel(t *testing.T) {
	for seed := range uint64(25) {
		random := rand.New(rand.NewPCG(seed, 0))
		base := make(map[string]string)
		for range random.IntN(12) {
			base[modelName(random)] = modelValue(random)
		}
		d := newTestDraft(t, "")
		if err := setAll(base)(d); err != nil {
			t.Fatal(err)
		}
		d = newTestDraft(t, string(encoded(t, d)))
		model := maps.Clone(base)
		for range 40 {
			stepModel(t, random, d, model)
			checkModel(t, d, base, model)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func modelName(random *rand.Rand) string { return fmt.Sprintf("N%02d", random.IntN(20)) }

func modelValue(random *rand.Rand) string {
	return []string{"", "one", "two", "thr\"ee\n", "vier é"}[random.IntN(5)]
}

func stepModel(t *testing.T, random *rand.Rand, d *Draft, model map[string]string) {
	t.Helper()
	name, value := modelName(random), modelValue(random)
	before, had := model[name]
	if random.IntN(3) == 0 {
		if err := d.Delete(name); (err == nil) != had || err != nil && !errors.Is(err, ErrNotFound) {
			t.Errorf("Delete(%q): %v", name, err)
		}
		delete(model, name)
		return
	}
	want := Updated
	switch {
	case !had:
		want = Added
	case before == value:
		want = Unchanged
	}
	wantSet(t, d, name, value, want)
	model[name] = value
}

func checkModel(t *testing.T, d *Draft, base, model map[string]string) {
	t.Helper()
	payload := encoded(t, d)
	if got := unmarshal(t, payload); !maps.Equal(got, model) {
		t.Errorf("holds %q, want %q", got, model)
	}
	if got, want := d.Names(), slices.Sorted(maps.Keys(model)); !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	if got, want := d.changed(), !maps.Equal(base, model); got != want {
		t.Errorf("changed() = %v, want %v", got, want)
	}
	name := modelName(rand.New(rand.NewPCG(uint64(len(payload)), 0)))
	if _, want := model[name]; d.Has(name) != want {
		t.Errorf("Has(%q) = %v", name, !want)
	}
}
