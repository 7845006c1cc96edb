package references

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/reserved"
)

var errAbsent = errors.New("absent")

// world is a vault in memory.
type world struct {
	secrets map[string]string
	entries map[reserved.Name]string
}

func newWorld() world { return world{make(map[string]string), make(map[reserved.Name]string)} }

func (w world) Use(name string, f func([]byte) error) error {
	value, ok := w.secrets[name]
	if !ok {
		return errAbsent
	}
	return f([]byte(value))
}

func (w world) UseReserved(name reserved.Name, f func([]byte) error) error {
	value, ok := w.entries[name]
	if !ok {
		return errAbsent
	}
	return f([]byte(value))
}

func (w world) SetReserved(name reserved.Name, value []byte) error {
	w.entries[name] = string(value)
	return nil
}

func (w world) Reserved() []reserved.Name { return slices.Sorted(maps.Keys(w.entries)) }

func (w world) link(t *testing.T, name, text string) {
	t.Helper()
	w.secrets[name] = text
	if err := Note(w, name, text); err != nil {
		t.Fatal(err)
	}
}

func (w world) want(t *testing.T, name, text string) {
	t.Helper()
	if got, err := Of(w, name); err != nil || got != text {
		t.Errorf("%.20s is %q, %v; want %q", name, got, err, text)
	}
}

func TestRecords(t *testing.T) {
	const one, two = "akv://c/one", "akv://c/two"
	w := newWorld()
	w.secrets["PLAIN"] = one
	w.want(t, "PLAIN", "")
	w.want(t, "ABSENT", "")
	w.link(t, "A", one)
	w.want(t, "A", one)
	w.secrets["A"] = "a value"
	w.want(t, "A", "")
	w.link(t, "A", two)
	w.want(t, "A", two)
	w.secrets["A"] = one // given back by the history
	w.want(t, "A", one)
	if got := w.entries[".refs/A"]; got != `{"refs":["akv://c/two","akv://c/one"],"v":1}` {
		t.Errorf("the record is %s", got)
	}

	w.secrets["B"] = w.secrets["A"]
	if err := Copy(w, "A", "B"); err != nil {
		t.Fatal(err)
	}
	w.want(t, "B", one)
	if err := Copy(w, "PLAIN", "C"); err != nil || w.entries[".refs/C"] != "" {
		t.Errorf("a value that is none is copied as a reference: %v", err)
	}

	long := strings.Repeat("x", 255)
	w.link(t, long, two)
	w.want(t, long, two)
	all, err := All(w)
	if want := map[string]string{"A": one, "B": one, long: two}; err != nil || !maps.Equal(all, want) {
		t.Errorf("all are %v, %v", all, err)
	}
	if text, err := IsText(w, "A", []byte(two)); err != nil || text != two {
		t.Errorf("an earlier text of A is %q, %v", text, err)
	}
}

func TestRecordsAreBounded(t *testing.T) {
	w := newWorld()
	for i := range 2 * maxFormer {
		w.link(t, "A", fmt.Sprintf("akv://c/n%d", i))
	}
	if n := strings.Count(w.entries[".refs/A"], "akv://"); n != maxFormer {
		t.Errorf("the record has %d texts", n)
	}
	w.want(t, "A", w.secrets["A"])
}

// TestUnknownRecords are errors: what is no value must not be delivered as one.
func TestUnknownRecords(t *testing.T) {
	for _, entry := range []reserved.Name{".refs/A", reserved.Reference(strings.Repeat("x", 255))} {
		for _, text := range []string{`{"refs":["akv://c/x"],"v":2}`, `{"refs":["akv://c/x"],"v":1,"more":true}`, `[]`, ``, `{"refs":"x","v":1}`, `{"refs":["akv://c/x"],"v":1}{}`} {
			if text == `{"refs":["akv://c/x"],"v":1}{}` && ValidRecord([]byte(text)) {
				t.Errorf("%s is taken", text)
			}
			w := newWorld()
			w.secrets["A"], w.entries[entry] = "akv://c/x", text
			if _, err := All(w); !errors.Is(err, ErrUnknownRecord) {
				t.Errorf("%s: %s: %v", entry, text, err)
			}
			if entry != ".refs/A" {
				continue
			}
			if _, err := Of(w, "A"); !errors.Is(err, ErrUnknownRecord) {
				t.Errorf("%s: %v", text, err)
			}
			if err := Note(w, "A", "akv://c/y"); !errors.Is(err, ErrUnknownRecord) || w.entries[entry] != text {
				t.Errorf("%s: written over, %v", text, err)
			}
		}
	}
}
