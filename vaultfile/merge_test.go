package vaultfile

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/history"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// branches are three vaults: a common one, and two that were made of it.
type branches struct {
	t                  *testing.T
	base, ours, theirs *pastWorld
}

// branch copies the vault twice.
func (w *pastWorld) branch() *branches {
	w.t.Helper()
	b := &branches{t: w.t, base: w, ours: w.copy("ours"), theirs: w.copy("theirs")}
	b.theirs.now = b.theirs.now.Add(time.Second) // no two changes at one time, where nothing else is said
	return b
}

func (w *pastWorld) copy(name string) *pastWorld {
	w.t.Helper()
	content, err := os.ReadFile(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	c := *w
	c.path = filepath.Join(w.t.TempDir(), name)
	if err := os.WriteFile(c.path, content, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return &c
}

// merge merges theirs into ours.
func (b *branches) merge() Merged {
	b.t.Helper()
	m, err := b.tryMerge()
	if err != nil {
		b.t.Fatal(err)
	}
	b.checkTotals()
	return m
}

func (b *branches) tryMerge() (Merged, error) {
	var base *Vault
	if b.base != nil {
		base = b.base.open()
	}
	theirs := MergeSide{b.theirs.open(), b.theirs.u}
	return Merge(b.t.Context(), b.ours.path, b.ours.u, base, theirs, b.ours.options("merge"))
}

// checkTotals compares what the settings say of all records with the records.
func (b *branches) checkTotals() {
	b.t.Helper()
	v := b.ours.open()
	s, err := v.settings()
	if err != nil {
		b.t.Fatal(err)
	}
	var old int64
	deleted := 0
	v.eachRecord(func(r history.Record) {
		old += int64(r.OldBytes())
		if isDeleted(&r) {
			deleted++
		}
		for i := 1; i < len(r.Versions); i++ {
			if r.Versions[i].Revision < r.Versions[i-1].Revision {
				b.t.Errorf("the revisions of %s go back: %+v", r.Name, r.Versions)
			}
		}
		if last := r.Last(); last.Revision > v.Folder(reserved.FolderOf(r.Name)).Revision {
			b.t.Errorf("%s has revision %d, its folder %d", r.Name, last.Revision, v.Folder(reserved.FolderOf(r.Name)).Revision)
		}
	})
	if s.OldBytes != old || s.Deleted != deleted {
		b.t.Errorf("the settings say %d bytes and %d deleted, the records %d and %d", s.OldBytes, s.Deleted, old, deleted)
	}
}

func (b *branches) want(m Merged, taken, removed, conflicts string) {
	b.t.Helper()
	got := []string{strings.Join(m.Taken, " "), strings.Join(m.Removed, " "), strings.Join(m.Conflicts, " ")}
	if !slices.Equal(got, []string{taken, removed, conflicts}) {
		b.t.Errorf("taken, removed and conflicts are %q, want %q", got, []string{taken, removed, conflicts})
	}
	if len(m.Unmerged) > 0 || m.TheirKey || m.KeyConflict {
		b.t.Errorf("%+v", m)
	}
}

func TestMerge(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	for _, name := range []string{"KEPT", "OURS", "THEIRS", "BOTH", "SAME", "GONE", "GONE_HERE"} {
		w.set(name, "0")
	}
	b := w.branch()
	b.ours.set("OURS", "o1")
	b.ours.set("OURS", "o2")
	b.ours.set("BOTH", "o1")
	b.ours.set("SAME", "1")
	b.ours.set("ADDED_HERE", "o1")
	b.ours.remove("GONE_HERE")
	b.theirs.set("THEIRS", "t1")
	b.theirs.set("THEIRS", "t2")
	b.theirs.set("BOTH", "t1")
	b.theirs.set("SAME", "1")
	b.theirs.set("ADDED_THERE", "t1")
	b.theirs.remove("GONE")
	m := b.merge()
	b.want(m, "ADDED_THERE THEIRS", "GONE", "BOTH")
	if !maps.Equal(m.Theirs, map[string]uint64{"BOTH": 3}) {
		t.Errorf("%v", m.Theirs)
	}
	b.ours.want("KEPT", "1 current=0 add")
	b.ours.want("OURS", "1 kept=0 add", "2 kept=o1 add", "3 current=o2 add")
	b.ours.want("THEIRS", "1 kept=0 add", "2 kept=t1 add", "3 current=t2 add")
	b.ours.want("BOTH", "1 kept=0 add", "2 kept=o1 add", "3 kept=t1 add", "4 current=o1 merge")
	b.ours.want("SAME", "1 kept=0 add", "2 kept=1 add", "3 current=1 add")
	b.ours.want("GONE", "1 kept=0 add", "2 deleted rm")
	b.ours.want("GONE_HERE", "1 kept=0 add", "2 deleted rm")
	b.ours.want("ADDED_HERE", "1 current=o1 add")
	b.ours.want("ADDED_THERE", "1 current=t1 add")
	if f := b.ours.open().Folder(""); f.Revision != 7+6+6+1 || f.Oldest != 1 {
		t.Errorf("%+v", f)
	}
	if at := b.ours.at("", 13); !strings.Contains(at, "ADDED_HERE:o1") || strings.Contains(at, "ADDED_THERE") {
		t.Errorf("at our last revision: %s", at)
	}

	// Once more, and the other way round: nothing is there twice.
	again := b.merge()
	b.ours.want("THEIRS", "1 kept=0 add", "2 kept=t1 add", "3 current=t2 add")
	b.want(again, "", "", "BOTH")
	back := &branches{t: t, base: b.theirs, ours: b.theirs, theirs: b.ours}
	if m := back.merge(); len(m.Conflicts) > 0 {
		t.Errorf("back: %+v", m)
	}
	b.theirs.want("OURS", "1 kept=0 add", "2 kept=o1 add", "3 current=o2 add")
	b.theirs.want("THEIRS", "1 kept=0 add", "2 kept=t1 add", "3 current=t2 add")
}

// TestMergeOneChange: a base that is none of ours' ancestors, as in a cherry-pick and a rebase.
func TestMergeOneChange(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "0")
	b := w.branch()
	b.theirs.set("A", "t1")
	b.theirs.set("A/B", "t1")
	b.base = b.theirs.copy("parent")
	b.theirs.set("A", "t2")
	b.theirs.set("NEW", "t1")
	b.ours.set("OTHER", "o1")
	b.want(b.merge(), "NEW", "", "A") // ours has another A than the parent
	b.ours.want("A", "1 kept=0 add", "3 kept=t2 add", "4 current=0 merge")
	if b.ours.open().Has("A/B") {
		t.Error("a change before the one that was picked came with it")
	}
}

func TestMergeReverted(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "0")
	w.set("B", "0")
	b := w.branch()
	b.theirs.set("A", "t1")
	b.theirs.set("A", "0")
	b.ours.set("A", "o1")
	b.ours.set("B", "o1")
	b.ours.set("B", "0")
	b.theirs.set("B", "t1")
	b.want(b.merge(), "B", "", "")
	b.ours.want("A", "1 kept=0 add", "2 kept=o1 add", "3 kept=t1 add", "4 kept=0 add", "5 current=o1 merge")
	b.ours.want("B", "1 kept=0 add", "2 kept=o1 add", "3 kept=0 add", "4 current=t1 add")
}

// TestMergeAtOneTime: the branches were changed within one second by one user.
func TestMergeAtOneTime(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	b := w.branch()
	b.theirs.now = b.ours.now
	b.ours.set("A", "o1")
	b.theirs.set("A", "t1")
	b.ours.set("B", "1")
	b.theirs.set("B", "1")
	b.want(b.merge(), "", "", "A")
	b.ours.want("A", "1 kept=o1 add", "2 kept=t1 add", "3 current=o1 merge")
	b.ours.want("B", "1 current=1 add")
}

// TestMergeRemovedAtOneTime: what was removed at one time, by one user, is removed once, behind all that was before.
func TestMergeRemovedAtOneTime(t *testing.T) {
	b := newPastWorld(t, DefaultHistory()).branch()
	b.theirs.now = b.ours.now
	b.ours.set("X", "1")
	b.ours.set("A", "o1")
	b.ours.remove("A")
	b.theirs.set("A", "t1")
	b.theirs.set("Y", "1")
	b.theirs.remove("A")
	b.want(b.merge(), "Y", "", "")
	b.ours.want("A", "1 kept=o1 add", "2 deleted rm", "3 kept=t1 add", "4 deleted merge")
}

func TestMergeWithoutBase(t *testing.T) {
	b := newPastWorld(t, DefaultHistory()).branch()
	b.base = nil
	b.ours.set("A", "1")
	b.ours.set("B", "o1")
	b.theirs.set("B", "t1")
	b.theirs.set("C", "t1")
	b.want(b.merge(), "C", "", "B")
	b.ours.want("B", "1 kept=o1 add", "2 kept=t1 add", "3 current=o1 merge")
}

func TestMergeOfAnotherProgram(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "0")
	w.set("B", "0")
	b := w.branch()
	b.theirs.foreign(func(secrets map[string]string) { secrets["A"], secrets["NEW"] = "t1", "t1" })
	b.ours.foreign(func(secrets map[string]string) { secrets["B"] = "o1" })
	b.want(b.merge(), "A NEW", "", "")
	b.ours.want("A", "1 kept=0 add", "2 current=t1 foreign")
	b.ours.want("NEW", "1 current=t1 foreign")
	b.ours.want("B", "1 lost add", "2 current=o1 foreign")
}

func TestMergeDestroyed(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "0")
	w.set("A", "1")
	w.set("B", "0")
	b := w.branch()
	b.theirs.update("destroy", func(d *Draft) error { return errors.Join(d.Destroy("A", 1), d.Destroy("B")) })
	b.ours.set("A", "2")
	b.want(b.merge(), "", "B", "")
	b.ours.want("A", "1 destroyed add", "2 kept=1 add", "3 current=2 add")
	b.ours.want("B", "1 destroyed add", "2 deleted destroy")
}

func TestMergeSettings(t *testing.T) {
	off := HistoryBounds{}
	two := HistoryBounds{Keep: 2, MaxBytes: 100}
	for _, c := range []struct {
		name                string
		base                HistoryBounds
		ours, theirs, after HistoryBounds
		unmerged            bool
	}{
		{"theirs", DefaultHistory(), DefaultHistory(), two, two, false},
		{"ours", DefaultHistory(), two, DefaultHistory(), two, false},
		{"both", DefaultHistory(), two, HistoryBounds{Keep: 3, MaxBytes: 100}, two, true},
		{"theirs off", DefaultHistory(), DefaultHistory(), off, off, false},
		{"ours off", DefaultHistory(), off, DefaultHistory(), off, false},
		{"theirs on", off, off, two, two, false},
		{"ours on", off, two, off, two, false},
		{"both on", off, two, two, two, false},
		{"never", off, off, off, off, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newPastWorld(t, c.base)
			w.set("A", "0")
			w.set("B", "0")
			b := w.branch()
			b.ours.update("history", func(d *Draft) error { d.SetHistory(c.ours); return nil })
			b.theirs.update("history", func(d *Draft) error { d.SetHistory(c.theirs); return nil })
			b.ours.set("A", "o1")
			b.theirs.set("B", "t1")
			m := b.merge()
			if got := b.ours.open().Keeps(); got != c.after || (len(m.Unmerged) > 0) != c.unmerged {
				t.Errorf("%+v, unmerged %q", got, m.Unmerged)
			}
			if !slices.Equal(m.Taken, []string{"B"}) {
				t.Errorf("%+v", m)
			}
			v := b.ours.open()
			for _, name := range v.Names() {
				if h, err := v.History(name); c.after != off && (err != nil || !h.Exists()) {
					t.Errorf("%s: %+v, %v", name, h, err)
				}
			}
			if entries := v.Reserved(); c.after == off && len(entries) > 0 {
				t.Errorf("left: %q", entries)
			}
		})
	}
}

func TestMergeDroppedHistory(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "leaked")
	w.set("A", "1")
	w.set("B", "1")
	b := w.branch()
	b.ours.set("B", "o1")
	b.theirs.u = newUnlocker(t, passphrase("another one for the vault"))
	o := RekeyOptions{WriteOptions: b.theirs.options("rotate-key"), DropHistory: true}
	if _, err := Rekey(t.Context(), b.theirs.path, w.u, b.theirs.u, o); err != nil {
		t.Fatal(err)
	}
	b.theirs.set("A", "2")
	m := b.mergeUnderTheirKey()
	if !slices.Equal(m.Taken, []string{"A"}) {
		t.Errorf("%+v", m)
	}
	b.ours.want("A", "3 kept=1 rotate-keybefore", "4 current=2 add")
	if strings.Contains(string(b.ours.payload()), "leaked") {
		t.Error("a value that was dropped came back")
	}
}

// mergeUnderTheirKey merges where theirs has another key, and opens the result with that.
func (b *branches) mergeUnderTheirKey() Merged {
	b.t.Helper()
	m, err := b.tryMerge()
	if err != nil {
		b.t.Fatal(err)
	}
	if !m.TheirKey || m.KeyConflict {
		b.t.Errorf("%+v", m)
	}
	if err := b.ours.u.Check(b.t.Context(), b.ours.path); !errors.Is(err, ErrDecryption) {
		b.t.Errorf("the old key: %v", err)
	}
	b.ours.u = b.theirs.u
	b.checkTotals()
	return m
}

func TestMergeKeys(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "0")
	rekey := func(w *pastWorld, key string) {
		old := w.u
		w.u = newUnlocker(t, passphrase(key))
		if _, err := Rekey(t.Context(), w.path, old, w.u, RekeyOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	b := w.branch()
	rekey(b.theirs, "the key that theirs was given")
	b.ours.set("B", "1")
	b.mergeUnderTheirKey()
	b.ours.want("B", "1 current=1 add")

	b = w.branch()
	rekey(b.ours, "the key that ours was given")
	b.theirs.set("B", "1")
	b.want(b.merge(), "B", "", "")

	b = w.branch()
	rekey(b.ours, "the key that ours was given")
	rekey(b.theirs, "the key that theirs was given")
	b.theirs.set("B", "1")
	if m := b.merge(); !m.KeyConflict || m.TheirKey {
		t.Errorf("%+v", m)
	}
	b.ours.want("B", "1 current=1 add")
}

func TestMergeEntries(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	set := func(w *pastWorld, name, value string) {
		w.update("x", func(d *Draft) error { return d.SetReserved(reserved.Name(name), []byte(value)) })
	}
	for _, name := range []string{".drop/1", ".drop/2", ".stores/x", ".later/y"} {
		set(w, name, "0")
	}
	b := w.branch()
	set(b.ours, ".drop/1", "o1")
	set(b.theirs, ".drop/1", "t1")
	set(b.theirs, ".stores/x", "t1")
	set(b.theirs, ".git/digest", "t1")
	b.theirs.update("x", func(d *Draft) error { d.DeleteReserved(".drop/2"); return nil })
	m := b.merge()
	if !slices.Equal(m.Unmerged, []string{".drop/1"}) {
		t.Errorf("%+v", m)
	}
	v := b.ours.open()
	for name, want := range map[string]string{".drop/1": "o1", ".drop/2": "", ".stores/x": "t1", ".git/digest": "t1", ".later/y": "0"} {
		got := ""
		_ = v.UseReserved(reserved.Name(name), func(value []byte) error { got = string(value); return nil })
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestMergeReferences: what is a reference on one side is one wherever its text comes to stand.
func TestMergeReferences(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.link("A", "akv://corp/base")
	w.set("B", "value")
	b := w.branch()
	b.ours.link("A", oneReference)
	b.theirs.link("A", twoReference)
	b.theirs.link("B", twoReference)
	m := b.merge()
	if len(m.Unmerged) > 0 || !slices.Equal(m.Conflicts, []string{"A"}) {
		t.Errorf("%+v", m)
	}
	b.ours.wantReference("A", oneReference)
	b.ours.wantReference("B", twoReference)
	b.ours.set("A", twoReference) // as rollback to theirs does
	b.ours.wantReference("A", twoReference)
}

// TestMergeDropKeys: a drop that either has collected is collected.
func TestMergeDropKeys(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	set := func(w *pastWorld, entry string) {
		w.update("x", func(d *Draft) error { return d.SetReserved(".drop/1", []byte(entry)) })
	}
	set(w, `{"v":1,"created":5,"collected":[],"private":"QQ=="}`)
	b := w.branch()
	set(b.ours, `{"v":1,"created":5,"collected":["a"],"private":"QQ=="}`)
	set(b.theirs, `{"v":1,"created":5,"replaced":9,"collected":["b"],"private":"QQ=="}`)
	if m := b.merge(); len(m.Unmerged) > 0 {
		t.Errorf("%+v", m)
	}
	err := b.ours.open().UseReserved(".drop/1", func(entry []byte) error {
		if string(entry) != `{"v":1,"created":5,"replaced":9,"collected":["a","b"],"private":"QQ=="}` {
			t.Errorf("%s", entry)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestMergeMakesNoFile(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "0")
	b := w.branch()
	b.theirs.set("A", "1")
	b.merge()
	entries, err := os.ReadDir(filepath.Dir(b.ours.path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestMergeFails(t *testing.T) {
	w := newPastWorld(t, DefaultHistory())
	w.set("A", "0")
	b := w.branch()
	b.theirs.set("A", "1")
	before, err := os.ReadFile(b.ours.path)
	if err != nil {
		t.Fatal(err)
	}
	b.ours.u = newUnlocker(t, passphrase("not the key of this vault"))
	if _, err := b.tryMerge(); !errors.Is(err, ErrDecryption) {
		t.Errorf("error %v", err)
	}
	if after, err := os.ReadFile(b.ours.path); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed, %v", err)
	}
}

// TestMergeAnything merges what two have done at random, and looks whether every secret is what it should be.
func TestMergeAnything(t *testing.T) {
	names := []string{"A", "B", "acme/A", "acme/B", "C"}
	random := rand.New(rand.NewPCG(1, 2))
	change := func(w *pastWorld, side string) {
		for range random.IntN(8) {
			name := names[random.IntN(len(names))]
			if random.IntN(4) == 0 {
				w.update("rm", func(d *Draft) error {
					if d.Has(name) {
						return d.Delete(name)
					}
					return nil
				})
				continue
			}
			w.set(name, fmt.Sprintf("%s%d", side, random.IntN(3)))
		}
	}
	for round := range 60 {
		w := newPastWorld(t, HistoryBounds{Keep: 1 + random.IntN(6), MaxBytes: 50})
		change(w, "x")
		b := w.branch()
		if round%3 == 0 {
			b.theirs.now = b.ours.now
		}
		change(b.ours, []string{"x", "o"}[round%2])
		change(b.theirs, []string{"x", "t"}[round%2])
		base, ours, theirs := contents(b.base.open()), contents(b.ours.open()), contents(b.theirs.open())
		m := b.merge()
		want := maps.Clone(ours)
		for _, name := range names {
			old, was := base[name]
			mine, have := ours[name]
			their, has := theirs[name]
			switch {
			case was == has && old == their || have == has && mine == their:
			case was != have || old != mine:
				if !slices.Contains(m.Conflicts, name) {
					t.Errorf("round %d: no conflict of %s", round, name)
				}
			case has:
				want[name] = their
			default:
				delete(want, name)
			}
		}
		v := b.ours.open()
		if got := contents(v); !maps.Equal(got, want) {
			t.Errorf("round %d: %v, want %v", round, got, want)
		}
		for _, name := range v.Past() {
			h, err := v.History(name)
			if err != nil || h.Exists() != v.Has(name) || h.Last().Origin != OriginWritten {
				t.Errorf("round %d: %s: %+v, %v", round, name, h, err)
			}
		}
		for _, path := range []string{"", "acme"} {
			f := v.Folder(path)
			if f.Revision == 0 {
				continue
			}
			at, err := v.AtRevision(path, f.Revision)
			if err != nil {
				t.Errorf("round %d: %v", round, err)
			}
			for _, name := range v.Names() {
				if _, ok := at[name]; reserved.FolderOf(name) == path && !ok {
					t.Errorf("round %d: at the last revision of %q there is no %s", round, path, name)
				}
			}
			for revision := f.Oldest; revision <= f.Revision; revision++ {
				at, err := v.AtRevision(path, revision)
				if err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				for name, n := range at {
					if err := v.UseVersion(name, n, func([]byte) error { return nil }); err != nil {
						t.Errorf("round %d: revision %d of %d to %d of %q: %v", round, revision, f.Oldest, f.Revision, path, err)
					}
				}
			}
		}
	}
}

func contents(v *Vault) map[string]string {
	all := make(map[string]string)
	_ = v.Each(func(name string, value []byte) error { all[name] = string(value); return nil })
	return all
}
