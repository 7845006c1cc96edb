package vaultfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// pastWorld is a vault with a history.
type pastWorld struct {
	t    *testing.T
	path string
	u    *Unlocker
	now  time.Time
}

func newPastWorld(t *testing.T, b HistoryBounds) *pastWorld {
	t.Helper()
	cheapKDF(t)
	return newDearPastWorld(t, b)
}

// newDearPastWorld is newPastWorld with the real key derivation.
func newDearPastWorld(t *testing.T, b HistoryBounds) *pastWorld {
	t.Helper()
	w := &pastWorld{t: t, path: t.TempDir() + "/v.vault", u: newUnlocker(t, testPassphrase), now: time.Unix(1_800_000_000, 0)}
	o := UpdateOptions{WriteOptions: w.options("create"), CreateMissing: true}
	o.History = b
	if _, err := Update(t.Context(), w.path, w.u, o, func(*Draft) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *pastWorld) options(command string) WriteOptions {
	w.now = w.now.Add(time.Minute)
	return WriteOptions{Author: Author{Who: "me@here", Command: command, Time: w.now}}
}

func (w *pastWorld) update(command string, change func(*Draft) error) Written {
	w.t.Helper()
	written, err := Update(w.t.Context(), w.path, w.u, UpdateOptions{WriteOptions: w.options(command)}, change)
	if err != nil {
		w.t.Fatal(err)
	}
	return written
}

func (w *pastWorld) set(name, value string) Written {
	w.t.Helper()
	return w.update("add", func(d *Draft) error { _, err := d.Set(name, []byte(value)); return err })
}

func (w *pastWorld) remove(name string) Written {
	w.t.Helper()
	return w.update("rm", func(d *Draft) error { return d.Delete(name) })
}

func (w *pastWorld) open() *Vault {
	w.t.Helper()
	v, err := OpenHistory(w.t.Context(), w.path, w.u)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(v.Close)
	return v
}

// shown writes a secret's versions as "number state=value command".
func (w *pastWorld) shown(name string) []string {
	w.t.Helper()
	v := w.open()
	h, err := v.History(name)
	if err != nil {
		return []string{err.Error()}
	}
	var lines []string
	for _, version := range h.Versions {
		line := fmt.Sprintf("%d %s", version.Number, version.State)
		err := v.UseVersion(name, version.Number, func(value []byte) error {
			line += "=" + string(value)
			return nil
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			w.t.Error(err)
		}
		if line += " " + version.Command; version.Origin != OriginWritten {
			line += string(version.Origin)
		}
		lines = append(lines, line)
	}
	return lines
}

func (w *pastWorld) want(name string, lines ...string) {
	w.t.Helper()
	if got := w.shown(name); !slices.Equal(got, lines) {
		w.t.Errorf("%s: %q, want %q", name, got, lines)
	}
}

// foreign changes the vault as a program does that knows no history.
func (w *pastWorld) foreign(change func(secrets map[string]string)) {
	w.t.Helper()
	secrets := unmarshal(w.t, w.payload())
	change(secrets)
	text, err := json.Marshal(secrets)
	if err != nil {
		w.t.Fatal(err)
	}
	seedPayload(w.t, w.path, w.u, string(text))
}

func (w *pastWorld) payload() []byte {
	w.t.Helper()
	payload, _, k, err := w.u.decrypt(w.t.Context(), w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer payload.Destroy()
	w.u.release(k)
	return slices.Clone(payload.Bytes())
}

func TestHistoryOfASecret(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	awkward := "two \"quoted\"\n\\\u0001ß😀"
	if r := w.set("A", awkward).History; len(r.Kept)+len(r.NotKept) != 0 {
		t.Errorf("first: %+v", r)
	}
	if r := w.set("A", "three").History; !slices.Equal(r.Kept, []string{"A"}) || r.NotKept != nil {
		t.Errorf("second: %+v", r)
	}
	w.want("A", "1 kept="+awkward+" add", "2 current=three add")
	if r := w.remove("A").History; !slices.Equal(r.Kept, []string{"A"}) {
		t.Errorf("removal: %+v", r)
	}
	w.want("A", "1 kept="+awkward+" add", "2 kept=three add", "3 deleted rm")
	w.set("A", "three")
	w.want("A", "1 kept="+awkward+" add", "2 kept=three add", "3 deleted rm", "4 current=three add")

	v := w.open()
	if _, err := v.History("B"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := v.UseVersion("A", 9, nil); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if got := v.Past(); !slices.Equal(got, []string{"A"}) {
		t.Errorf("past %q", got)
	}
	h, err := v.History("A")
	if last := h.Last(); err != nil || !last.Time.Equal(w.now) || last.Who != "me@here" || !h.Complete || !h.Exists() || last.Revision != 4 {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestHistoryIsNotHeld by a vault that was opened to be read.
func TestHistoryIsNotHeld(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "an old value")
	w.set("A", "a new value")
	v, err := Open(t.Context(), w.path, w.u)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if text := string(v.payload); strings.Contains(text, "old value") || strings.Contains(text, "me@here") || !strings.Contains(text, "a new value") {
		t.Errorf("memory has %q", text)
	}
	if _, err := v.History("A"); !errors.Is(err, ErrNoHistory) {
		t.Error(err)
	}
	// Out of order too, where the entries are decoded.
	w.foreign(func(map[string]string) {})
	payload := string(w.payload())
	seedPayload(t, w.path, w.u, `{"A":"a new value",`+strings.Replace(payload, `,"A":"a new value"`, "", 1)[1:])
	again, err := Open(t.Context(), w.path, w.u)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if text := string(again.payload); strings.Contains(text, "old value") || !again.Has("A") || again.Len() != 1 {
		t.Errorf("memory has %q", text)
	}
	w.want("A", "1 kept=an old value add", "2 current=a new value add")
}

func TestHistoryOffIsAsBefore(t *testing.T) {
	w := newPastWorld(t, HistoryBounds{})
	w.set("A", "1")
	if r := w.set("A", "2").History; !slices.Equal(r.NotKept, []string{"A"}) || r.Kept != nil {
		t.Errorf("%+v", r)
	}
	if got := string(w.payload()); got != `{"A":"2"}` {
		t.Errorf("payload %s", got)
	}
	w.want("A", ErrNoHistory.Error())

	w.update("history", func(d *Draft) error { d.SetHistory(HistoryBounds{Keep: 2, MaxBytes: 100}); return nil })
	w.want("A", "1 current=2 historybefore")
	w.set("A", "3")
	w.want("A", "1 kept=2 historybefore", "2 current=3 add")
	w.set("A", "4")
	w.want("A", "2 kept=3 add", "3 current=4 add")

	w.update("history", func(d *Draft) error { d.SetHistory(HistoryBounds{}); return nil })
	if got := string(w.payload()); got != `{"A":"4"}` {
		t.Errorf("payload %s", got)
	}
}

func TestHistoryOfAnotherProgram(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "1")
	w.set("B", "1")
	w.set("C", "1")
	w.foreign(func(s map[string]string) {
		s["A"], s["NEW"] = "theirs", "new"
		delete(s, "B")
	})
	w.want("A", "1 lost add", "2 current=theirs foreign")
	w.want("B", "1 lost add", "2 deleted foreign")
	w.want("C", "1 current=1 add")
	w.want("NEW", "1 current=new foreign")
	for _, name := range []string{"A", "B", "NEW"} {
		w.set(name, "mine")
	}
	w.want("A", "1 lost add", "2 kept=theirs foreign", "3 current=mine add")
	w.want("B", "1 lost add", "2 deleted foreign", "3 current=mine add")
	w.want("NEW", "1 kept=new foreign", "2 current=mine add")
	v := w.open()
	if h, err := v.History("A"); err != nil || !h.Versions[1].Time.Equal(h.Versions[2].Time.Add(0)) || h.Versions[1].Who != "" {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestHistoryBounds(t *testing.T) {
	w := newPastWorld(t, HistoryBounds{Keep: 5, MaxBytes: 30})
	w.set("A", strings.Repeat("a", 100))
	w.set("A", "1234567890")
	if w.set("A", "x"); len(w.shown("A")) != 3 {
		t.Errorf("%q", w.shown("A"))
	}
	w.want("A", "1 dropped add", "2 kept=1234567890 add", "3 current=x add")
	r := w.set("A", strings.Repeat("b", 100)).History
	if r.Dropped != nil {
		t.Errorf("%+v", r)
	}
	if r = w.set("A", "y").History; !slices.Equal(r.Dropped, []string{"A"}) {
		t.Errorf("%+v", r)
	}
	w.want("A", "1 dropped add", "2 dropped add", "3 dropped add", "4 kept="+strings.Repeat("b", 100)+" add", "5 current=y add")
	w.set("A", "z")
	if got := w.shown("A"); len(got) != 5 || !strings.HasPrefix(got[0], "2 ") {
		t.Errorf("%q", got)
	}
	if h, err := w.open().History("A"); err != nil || h.Complete {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestHistoryBoundOfAll drops the oldest values of whatever secret, and in the end the record of one that was removed.
func TestHistoryBoundOfAll(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	value := func(c string) string { return strings.Repeat(c, 1<<20-100) }
	w.set("GONE", value("g"))
	w.remove("GONE")
	for _, name := range []string{"A", "B", "C"} {
		w.set(name, value(name))
		w.set(name, "small")
	}
	w.want("GONE", "1 kept="+value("g")+" add", "2 deleted rm")
	w.set("D", value("D"))
	if r := w.set("D", "small").History; !slices.Equal(r.Dropped, []string{"GONE"}) {
		t.Errorf("dropped %q", r.Dropped)
	}
	if got := w.shown("GONE"); !strings.Contains(got[0], ErrNotFound.Error()) {
		t.Errorf("%.100q", got)
	}
	w.want("A", "1 kept="+value("A")+" add", "2 current=small add")
	w.set("GONE", "again") // goes on from the shared counter
	w.want("GONE", "3 current=again add")
}

// at writes what a folder was at a revision.
func (w *pastWorld) at(path string, revision uint64) string {
	w.t.Helper()
	v := w.open()
	versions, err := v.AtRevision(path, revision)
	if err != nil {
		wantError(w.t, err, ErrNotFound)
		return "none"
	}
	values := make(map[string]string)
	for name, number := range versions {
		err := v.UseVersion(name, number, func(value []byte) error { values[name] = string(value); return nil })
		if err != nil {
			w.t.Error(err)
		}
	}
	return fmt.Sprint(values)
}

func TestFolderRevisions(t *testing.T) {
	w := newPastWorld(t, HistoryBounds{Keep: 3, MaxBytes: 1 << 20})
	w.set("acme/A", "a1")
	w.set("acme/sub/X", "x")
	w.set("ROOT", "r")
	w.update("apply", func(d *Draft) error {
		_, err := d.Set("acme/A", []byte("a2"))
		_, err2 := d.Set("acme/B", []byte("b1"))
		return errors.Join(err, err2)
	})
	w.remove("acme/A")
	for revision, want := range []string{"none", "map[acme/A:a1]", "map[acme/A:a2 acme/B:b1]", "map[acme/B:b1]", "none"} {
		if got := w.at("acme", uint64(revision)); got != want {
			t.Errorf("revision %d: %s, want %s", revision, got, want)
		}
	}
	if got := w.at("", 1) + w.at("acme/sub", 1) + w.at("acme/sub", 2); got != "map[ROOT:r]map[acme/sub/X:x]none" {
		t.Error(got)
	}
	w.set("acme/A", "a3") // the first version goes
	if got := w.open().Folder("acme"); got != (Folder{Revision: 4, Oldest: 2}) {
		t.Errorf("%+v", got)
	}
	if got := w.at("acme", 1) + w.at("acme", 2) + w.at("acme", 4); got != "nonemap[acme/A:a2 acme/B:b1]map[acme/A:a3 acme/B:b1]" {
		t.Error(got)
	}
	w.update("destroy", func(d *Draft) error { return d.Destroy("acme/B") })
	if got := w.open().Folder("acme"); got != (Folder{Revision: 5, Oldest: 5}) || w.at("acme", 5) != "map[acme/A:a3]" {
		t.Errorf("%+v, %s", got, w.at("acme", 5))
	}
	w.foreign(func(s map[string]string) { s["acme/A"] = "theirs" })
	w.set("acme/A", "a4")
	if got := w.open().Folder("acme"); got.Oldest != got.Revision {
		t.Errorf("a value was lost, and the folder says %+v", got)
	}
}

// TestHistoryMakesRoom where the file would be larger than a vault can be: old values go, then all records, and the secrets stay.
func TestHistoryMakesRoom(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	old := strings.Repeat("o", 1000)
	w.set("A", old)
	w.set("A", "1")
	w.set("B", old)
	v := w.open()
	for _, test := range []struct {
		room    int
		dropped []string
		records bool
	}{{1 << 20, nil, true}, {2600, []string{"A"}, true}, {1300, []string{"A", "B"}, true}, {500, []string{"A", "B"}, false}} {
		d := newDraft(v)
		if _, err := d.Set("B", []byte("2")); err != nil {
			t.Fatal(err)
		}
		r, err := d.recordHistoryWithin(w.options("add"), test.room)
		if err != nil || !slices.Equal(r.Dropped, test.dropped) {
			t.Errorf("room %d: dropped %q, %v", test.room, r.Dropped, err)
		}
		text := string(encoded(t, d))
		if len(text) > test.room || strings.Contains(text, ".history/") != test.records || !strings.Contains(text, `"B":"2"`) {
			t.Errorf("room %d: %d bytes: %.300s", test.room, len(text), text)
		}
		d.close()
	}
}

// TestHistoryOfTheLargestValue keeps none of them: as JSON it would be larger than an entry can be.
func TestHistoryOfTheLargestValue(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a gigabyte")
	}
	w := newPastWorld(t, DefaultHistory())
	w.set("A", strings.Repeat("x", MaxValueBytes))
	if r := w.set("A", "small").History; !slices.Equal(r.Dropped, []string{"A"}) || !slices.Equal(r.NotKept, []string{"A"}) {
		t.Errorf("%+v", r)
	}
	w.want("A", "1 dropped add", "2 current=small add")
}

func TestHistoryForgetsTombstones(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	many := leastTombstones + 5
	w.update("apply", func(d *Draft) error {
		for i := range many {
			if _, err := d.Set(fmt.Sprintf("N%04d", i), []byte("v")); err != nil {
				return err
			}
		}
		return nil
	})
	w.update("apply", func(d *Draft) error {
		for i := range many {
			if err := d.Delete(fmt.Sprintf("N%04d", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if n := len(w.open().Past()); n != leastTombstones {
		t.Errorf("%d tombstones", n)
	}
}

func TestDestroy(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	for _, value := range []string{"1", "2", "3"} {
		w.set("A", value)
	}
	w.update("destroy", func(d *Draft) error { return d.Destroy("A", 2) })
	w.want("A", "1 kept=1 add", "2 destroyed add", "3 current=3 add")
	w.update("destroy", func(d *Draft) error { return d.Destroy("A") })
	w.want("A", "1 destroyed add", "2 destroyed add", "3 destroyed add", "4 deleted destroy")
	if payload := string(w.payload()); strings.Contains(payload, "digest\\") || w.open().Has("A") {
		t.Errorf("payload %s", payload)
	}
	w.set("A", "new")
	w.want("A", "1 destroyed add", "2 destroyed add", "3 destroyed add", "4 deleted destroy", "5 current=new add")
	w.update("destroy", func(d *Draft) error {
		if err := d.Destroy("A", 7); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		if err := d.Destroy("B"); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		return nil
	})
}

func TestRenameAndCopy(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "1")
	w.set("B", "2")
	w.update("rename", func(d *Draft) error {
		for _, err := range []error{d.Rename("A", "A", true), d.Rename("A", "B", false)} {
			if !errors.Is(err, ErrExists) {
				t.Error(err)
			}
		}
		if err := d.Copy("NONE", "X", true); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		return d.Rename("A", "acme/A", false)
	})
	w.want("A", "1 kept=1 add", "2 deleted rename")
	w.want("acme/A", "1 current=1 rename")
	w.update("copy", func(d *Draft) error { return d.Copy("acme/A", "B", true) })
	w.want("B", "1 kept=2 add", "2 current=1 copy")
	h, err := w.open().History("B")
	if err != nil || h.Last().From != "acme/A" {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestLongNames have their record under a hash.
func TestLongNames(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	long := strings.Repeat("n", MaxNameBytes)
	folder := strings.Repeat("f", MaxNameBytes-2) + "/x"
	for _, name := range []string{long, folder} {
		w.set(name, "1")
		w.set(name, "2")
		w.want(name, "1 kept=1 add", "2 current=2 add")
	}
	if got := w.open().Past(); !slices.Equal(got, []string{folder, long}) {
		t.Errorf("%q", got)
	}
}

// TestUnknownHistory leaves what a later version wrote as it is.
func TestUnknownHistory(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "1")
	const later = `{"v":2,"anything":[]}`
	w.foreign(func(s map[string]string) { s[".history/A"] = later })
	if r := w.set("A", "2").History; !slices.Equal(r.NotKept, []string{"A"}) {
		t.Errorf("%+v", r)
	}
	if got := unmarshal(t, w.payload()); got[".history/A"] != later {
		t.Errorf("record %s", got[".history/A"])
	}
	w.foreign(func(s map[string]string) { s[".settings"] = later })
	w.set("A", "3")
	if got := unmarshal(t, w.payload()); got[".settings"] != later || got["A"] != "3" {
		t.Errorf("%q", got)
	}
}

func TestRekeyKeepsOrDropsHistory(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "1")
	w.set("A", "2")
	next := newUnlocker(t, passphrase("the next passphrase"))
	if ok, err := rekey(t.Context(), w.path, w.u, next, RekeyOptions{}); !ok || err != nil {
		t.Fatal(err)
	}
	w.u = next
	w.want("A", "1 kept=1 add", "2 current=2 add")
	after := newUnlocker(t, passphrase("the passphrase after that"))
	o := RekeyOptions{WriteOptions: w.options("rotate-key"), DropHistory: true}
	if ok, err := rekey(t.Context(), w.path, w.u, after, o); !ok || err != nil {
		t.Fatal(err)
	}
	w.u = after
	w.want("A", "3 current=2 rotate-keybefore")
}

func TestReplacingKeepsHistory(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "1")
	w.set("B", "1")
	made, err := Create(t.Context(), w.path, w.u, CreateOptions{WriteOptions: w.options("encrypt"), Replace: true}, setAll(map[string]string{"B": "2", "C": "3"}))
	if err != nil || made.Outcome != Replaced || !slices.Equal(made.History.Kept, []string{"A", "B"}) {
		t.Errorf("%+v, %v", made, err)
	}
	w.want("A", "1 kept=1 add", "2 deleted encrypt")
	w.want("B", "1 kept=1 add", "2 current=2 encrypt")
}

func TestETagAndIfMatch(t *testing.T) {
	w := newPastWorld(t, HistoryBounds{})
	written := w.set("A", "1")
	is, err := ETag(w.path)
	if err != nil || is != written.ETag || !ValidETag(is) || ValidETag(strings.ToUpper(is)) || ValidETag(is[1:]) {
		t.Errorf("%q, written %q, %v", is, written.ETag, err)
	}
	o := UpdateOptions{WriteOptions: WriteOptions{IfMatch: is}}
	set := func(d *Draft) error { _, err := d.Set("A", []byte("2")); return err }
	if _, err := Update(t.Context(), w.path, w.u, o, set); err != nil {
		t.Error(err)
	}
	_, err = Update(t.Context(), w.path, w.u, o, set)
	wantError(t, err, ErrChanged)
	_, err = Update(t.Context(), w.path+"-none", w.u, UpdateOptions{WriteOptions: o.WriteOptions, CreateMissing: true}, set)
	wantError(t, err, ErrChanged)
	_, err = Rekey(context.Background(), w.path, w.u, newUnlocker(t, passphrase("other")), RekeyOptions{WriteOptions: o.WriteOptions})
	wantError(t, err, ErrChanged)
}
