package vaultfile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/internal/reserved"
)

const (
	oneReference = "akv://corp/one"
	twoReference = "akv://corp/two"
)

// link makes a secret a reference.
func link(d *Draft, name, text string) error {
	if _, err := d.Set(name, []byte(text)); err != nil {
		return err
	}
	return references.Note(d, name, text)
}

// TestReadersHaveReferences, and the connections, but nothing else of the tool's, whatever stands around them.
func TestReadersHaveReferences(t *testing.T) {
	needed := []reserved.Name{".refs/A", ".stores/c"}
	for _, payload := range []string{
		`{".history/A":"old",".pulled/A":"old",".refs/A":"r",".rotate/A":"old",".settings":"old",".stores/c":"s","A":"1"}`,
		`{".refs/A":"r",".stores/c":"s"}`,
		`{".stores/c":"s",".settings":"old",".refs/A":"r","A":"1",".history/A":"old"}`,
		`{".history/A":"old","A":"1",".refs/A":"r",".stores/c":"s",".drop/x":"old"}`,
		`{".\u0072efs/A":"r",".stores/c":"\u0073"}`,
		`{".ref":"old",".refs":"old",".refs/A":"r",".reft":"old",".store":"old",".stores/c":"s"}`,
	} {
		v, err := newVault(lockedCopy(t, payload), false)
		if err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
		if got := v.Reserved(); !slices.Equal(got, needed) {
			t.Errorf("%s: %q", payload, got)
		}
		for i, want := range []string{"r", "s"} {
			if err := v.UseReserved(needed[i], func(value []byte) error {
				if string(value) != want {
					t.Errorf("%s: %s is %q", payload, needed[i], value)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
		if strings.Contains(string(v.payload), "old") {
			t.Errorf("%s: more stays in memory: %q", payload, v.payload)
		}
		v.Close()
	}
	for _, payload := range []string{
		`{".history/A":"1",".refs/A":"r",".refs/A":"r","A":"1"}`, `{".history/A":"1",".refs/A":"r","A":"1",".history/A":"2"}`, `{".history/A":"1",".refs/A":"r",".stores/c":"s",".refs/A":"x"}`,
		`{".history/A":"1",".refs/A":"r","A":"1",".refs/A":"x"}`,
	} {
		var bad *PayloadError
		if _, err := newVault(lockedCopy(t, payload), false); !errors.As(err, &bad) || bad.Reason != ReasonDuplicateName {
			t.Errorf("%s: %v", payload, err)
		}
	}
}

func (w *pastWorld) link(name, text string) {
	w.t.Helper()
	w.update("link", func(d *Draft) error { return link(d, name, text) })
}

func (w *pastWorld) wantReference(name, text string) {
	w.t.Helper()
	v := w.open()
	if got, err := references.Of(v, name); err != nil || got != text {
		w.t.Errorf("%s is %q, %v; want %q", name, got, err, text)
	}
}

// hasRecord tells whether there is a record of a secret, be it one that counts or not.
func (w *pastWorld) hasRecord(name string) bool {
	return slices.Contains(w.open().Reserved(), reserved.Reference(name))
}

// TestReferencesThroughChanges: a text that was a reference is one wherever the history gives it back, and under the names that it is copied to.
func TestReferencesThroughChanges(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.link("A", oneReference)
	w.wantReference("A", oneReference)
	w.set("A", "a value")
	w.wantReference("A", "")
	w.link("A", twoReference)
	w.set("A", oneReference) // as rollback does
	w.wantReference("A", oneReference)
	w.remove("A")
	w.set("A", twoReference) // as undelete does
	w.wantReference("A", twoReference)

	w.update("copy", func(d *Draft) error { return d.Copy("A", "B", false) })
	w.wantReference("B", twoReference)
	w.update("rename", func(d *Draft) error { return d.Rename("B", "C", false) })
	w.wantReference("C", twoReference)
	w.wantReference("B", "")
	w.set("PLAIN", oneReference)
	w.update("copy", func(d *Draft) error { return d.Copy("PLAIN", "C", true) })
	w.wantReference("C", "")

	w.update("destroy", func(d *Draft) error { return d.Destroy("A") })
	if w.hasRecord("A") {
		t.Error("a record is left of what was destroyed")
	}
}

// TestReferencesWithoutHistory: nothing gives a former text back, so that no record of one stays.
func TestReferencesWithoutHistory(t *testing.T) {
	w := newPastWorld(t, HistoryBounds{})
	for _, change := range []func(d *Draft) error{
		func(d *Draft) error { return d.Delete("A") },
		func(d *Draft) error { _, err := d.Set("A", []byte("a value")); return err },
		func(d *Draft) error { return d.Rename("A", "Z", true) },
	} {
		w.link("A", oneReference)
		w.wantReference("A", oneReference)
		w.update("change", change)
		if w.hasRecord("A") {
			t.Error("a record is left")
		}
	}
	w.wantReference("Z", oneReference)
	w.link("A", oneReference)
	w.link("A", twoReference)
	w.wantReference("A", twoReference)
}

func TestReferencePatch(t *testing.T) {
	patch, err := ParseReferencePatch([]byte(` { "A" : { "ref" : "akv://corp/\u0061" } , "B": "akv://corp/b", "C": null, "D": {"ref":""} } `))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	_ = patch.Each(func(name string, value []byte) error {
		line := name + " " + string(value)
		if patch.IsReference(name) {
			line += " ref"
		}
		if value == nil {
			line += "null"
		}
		got = append(got, line)
		return nil
	})
	if want := []string{"A akv://corp/a ref", "B akv://corp/b", "C null", "D  ref"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for text, reason := range map[string]Reason{
		`{"A":{}}`: ReasonNotString, `{"A":{"href":"x"}}`: ReasonNotString, `{"A":{"ref":1}}`: ReasonNotString, `{"A":{"ref":null}}`: ReasonNotString, `{"A":{"ref":{"ref":"x"}}}`: ReasonNotString,
		`{"A":{"ref":"x","more":"y"}}`: ReasonNotString, `{"A":{"ref" "x"}}`: ReasonSyntax, `{"A":{"ref":"x"`: ReasonTruncated, `{"A":["ref"]}`: ReasonNotString,
		`{"A":{"ref":"x"},"A":"y"}`: ReasonDuplicateName,
	} {
		_, err := ParseReferencePatch([]byte(text))
		var bad *PayloadError
		if !errors.As(err, &bad) || bad.Reason != reason {
			t.Errorf("%s: %v, want %s", text, err, reason)
		}
	}
	if _, err := ParsePatch([]byte(`{"A":{"ref":"x"}}`)); err == nil {
		t.Error("a patch of texts has a reference")
	}
}

func lockedCopy(t *testing.T, text string) *lockedmem.Buffer {
	t.Helper()
	buf, err := lockedmem.New(len(text))
	if err != nil {
		t.Fatal(err)
	}
	copy(buf.Bytes(), text)
	return buf
}
