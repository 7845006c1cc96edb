package history

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestRecord writes a record and reads it back.
func TestRecord(t *testing.T) {
	r := Record{Name: "A", Cut: true, Versions: []Version{
		{Number: 1, Seconds: 5, Revision: 1, Who: "me@here", Command: "add", State: Kept, Plain: []byte("old \"value\"\n")},
		{Number: 2, Origin: Foreign, State: Lost},
		{Number: 4, Seconds: 7, Who: "ß\n", Command: "rename", From: "B", State: Kept, Quoted: []byte(`"q"`)},
		{Number: 5, State: Current, Digest: [DigestBytes]byte{1, 2, 3}},
	}}
	for _, named := range []bool{false, true} {
		text := r.Append(make([]byte, 0, r.Len(named)), named)
		if len(text) != r.Len(named) {
			t.Errorf("%d bytes, Len is %d", len(text), r.Len(named))
		}
		got, err := Decode(text, "A")
		if err != nil || !got.Cut || len(got.Versions) != len(r.Versions) {
			t.Fatalf("%s: %+v, %v", text, got, err)
		}
		if named && !strings.Contains(string(text), `"name":"A"`) {
			t.Errorf("%s", text)
		}
		for i, v := range got.Versions {
			want := r.Versions[i]
			if v.ValueBytes() != want.ValueBytes() {
				t.Errorf("version %d: %d bytes", v.Number, v.ValueBytes())
			}
			if want.State == Kept {
				err := v.Use(func(value []byte) error {
					if i == 0 && string(value) != "old \"value\"\n" || i == 2 && string(value) != "q" {
						t.Errorf("version %d: %q", v.Number, value)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
			v.Quoted, v.Plain, want.Quoted, want.Plain = nil, nil, nil, nil
			if v.Number != want.Number || v.Seconds != want.Seconds || v.Who != want.Who || v.Command != want.Command || v.From != want.From ||
				v.Origin != want.Origin || v.State != want.State || v.Digest != want.Digest || v.Revision != want.Revision {
				t.Errorf("%+v, want %+v", v, want)
			}
		}
	}
}

func TestUnknownRecords(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `{"v":1}`, `{"v":2,"versions":[{"n":1,"gone":"deleted"}]}`, `{"v":1,"versions":[]}`, `{"v":1,"later":1,"versions":[{"n":1,"gone":"deleted"}]}`,
		`{"v":1,"versions":[{"n":0,"gone":"deleted"}]}`, `{"v":1,"versions":[{"n":1,"value":"x"}]}`, `{"v":1,"versions":[{"n":2,"gone":"deleted"},{"n":1,"gone":"deleted"}]}`,
		`{"v":1,"versions":[{"n":1,"digest":"AAAAAAAAAAAAAAAAAAAAAA"},{"n":2,"gone":"deleted"}]}`, `{"v":1,"versions":[{"n":1,"digest":"AAAA"}]}`,
		`{"v":1,"versions":[{"n":-1,"gone":"deleted"}]}`, `{"v":1,"versions":[{"n":1,"gone":"deleted"}]} x`, `{"v":1,"cut":false,"versions":[{"n":1,"gone":"deleted"}]}`,
	} {
		if r, err := Decode([]byte(text), "A"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %+v, %v", text, r, err)
		}
	}
	if _, err := Decode([]byte(` { "v" : 1 , "versions" : [ { "n" : 1 , "gone" : "deleted" } ] } `), "A"); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"cut":true,"versions":[{"n":1,"t":2,"rev":3,"who":"a@b","cmd":"add","value":"x\n"},{"n":2,"digest":"AAAAAAAAAAAAAAAAAAAAAA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Decode(text, "A")
		if err != nil {
			return
		}
		again, err := Decode(r.Append(nil, false), "A")
		if err != nil || len(again.Versions) != len(r.Versions) || again.OldBytes() != r.OldBytes() {
			t.Errorf("%s is written and read as %+v, %v", text, again, err)
		}
	})
}

func TestSettings(t *testing.T) {
	var s Settings
	if s.Encode() != nil || s.On() {
		t.Error("settings of nothing")
	}
	s.Begin(Bounds{Keep: 3, MaxBytes: 7})
	s.Counter, s.OldBytes, s.Deleted = 4, 5, 6
	got, err := DecodeSettings(s.Encode())
	if err != nil || got.Bounds != s.Bounds || got.Counter != 4 || got.OldBytes != 5 || got.Deleted != 6 || !slices.Equal(got.Key, s.Key) {
		t.Errorf("%+v, %v", got, err)
	}
	kept, err := DecodeSettings([]byte(`{"v":1,"other":{"x":[1]}}`))
	if err != nil || kept.On() || string(kept.Encode()) != `{"other":{"x":[1]},"v":1}` {
		t.Errorf("%s, %v", kept.Encode(), err)
	}
	kept.Begin(s.Bounds)
	kept.End()
	if string(kept.Encode()) != `{"other":{"x":[1]},"v":1}` {
		t.Errorf("%s", kept.Encode())
	}
	for _, text := range []string{`x`, `{}`, `{"v":2}`, `{"v":1,"history":1}`, `{"v":1,"history":{"keep":0,"digest_key":"AA"}}`} {
		if _, err := DecodeSettings([]byte(text)); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestFolder(t *testing.T) {
	f, err := DecodeFolder([]byte(`{"v":1,"revision":4,"oldest":2,"metadata":{"a":1}}`), "acme")
	if err != nil || f.Revision != 4 || f.Oldest != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	f.Revision++
	if got := string(f.Encode(false)); got != `{"metadata":{"a":1},"oldest":2,"revision":5,"v":1}` {
		t.Errorf("%s", got)
	}
	long, err := DecodeFolder(f.Encode(true), "")
	if err != nil || long.Name != "acme" {
		t.Errorf("%+v, %v", long, err)
	}
	if _, err := DecodeFolder([]byte(`{"v":1}`), ""); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestDigest(t *testing.T) {
	var s Settings
	s.Begin(Bounds{Keep: 1})
	d := s.NewDigester()
	defer d.Close()
	a := d.Digest("A", []byte("value"))
	if a != d.Digest("A", []byte("value")) || a == d.Digest("B", []byte("value")) || a == d.Digest("A", []byte("other")) || a == d.Digest("A\x00", []byte("alue")) {
		t.Error("digests do not tell values apart")
	}
	var other Settings
	other.Begin(Bounds{Keep: 1})
	if a == other.NewDigester().Digest("A", []byte("value")) {
		t.Error("the key does not matter")
	}
}

func TestMostLenIsNeverLess(t *testing.T) {
	t.Parallel()
	control := strings.Repeat("\x01", 300)
	full := Version{
		Number: math.MaxInt64, Seconds: math.MaxInt64, Revision: math.MaxInt64, Who: control, Command: control, From: control,
		Origin: Foreign, State: Destroyed,
	}
	current := full
	current.State = Current
	kept := full
	kept.State, kept.Plain = Kept, []byte(control)
	for _, r := range []Record{
		{Name: control, Cut: true}, {Versions: []Version{{}}}, {Name: control, Cut: true, Versions: []Version{full, kept, kept, current}},
	} {
		if n := len(r.Append(nil, true)); r.Len(true) != n || r.MostLen() < n {
			t.Errorf("%d bytes: Len %d, MostLen %d", n, r.Len(true), r.MostLen())
		}
	}
}

// TestMergeRest: fields of a later version are merged one by one.
func TestMergeRest(t *testing.T) {
	settings := func(text string) Settings {
		s, err := DecodeSettings([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	base := settings(`{"v":1,"kept":1,"theirs":1,"ours":1,"both":1,"gone":1}`)
	ours := settings(`{"v":1,"kept":1,"theirs":1,"ours":2,"both":2,"gone":1,"new":{"a":[1]}}`)
	theirs := settings(`{"v":1,"kept":1,"theirs":3,"ours":1,"both":3,"added":3}`)
	conflicts := ours.MergeRest(base, theirs)
	if got := string(ours.Encode()); got != `{"added":3,"both":2,"kept":1,"new":{"a":[1]},"ours":2,"theirs":3,"v":1}` || !slices.Equal(conflicts, []string{"both"}) {
		t.Errorf("%s, conflicts %q", got, conflicts)
	}
	f := Folder{Revision: 7, Oldest: 2}
	their, err := DecodeFolder([]byte(`{"v":1,"revision":9,"oldest":1,"metadata":{"a":1}}`), "")
	if err != nil {
		t.Fatal(err)
	}
	f.MergeRest(Folder{}, their)
	if got := string(f.Encode(false)); got != `{"metadata":{"a":1},"oldest":2,"revision":7,"v":1}` {
		t.Errorf("%s", got)
	}
}

// TestSince: what counts is what was done and the value, whatever the numbers.
func TestSince(t *testing.T) {
	common := Version{Number: 1, Seconds: 1, Who: "a", State: Kept, Plain: []byte("1")}
	renumbered := common
	renumbered.Number, renumbered.Plain, renumbered.Quoted = 9, nil, []byte(`"1"`)
	other := common
	other.Plain = []byte("2")
	gone := Version{Number: 4, Seconds: 4, State: Dropped}
	elsewhere := gone
	elsewhere.Number = 5
	current := Version{Number: 6, Seconds: 6, State: Current}
	theirs := Past{Record{Versions: []Version{common, other, gone, elsewhere, current}}, []byte("6")}
	for _, c := range []struct {
		base, ours []Version
		want       []uint64
	}{
		{nil, nil, []uint64{1, 1, 4, 5, 6}},
		{[]Version{renumbered}, nil, []uint64{1, 4, 5, 6}},
		{nil, []Version{other, gone}, []uint64{1, 5, 6}},
		{[]Version{common, other}, []Version{gone, elsewhere, current}, nil},
	} {
		since := Since(theirs, Past{Record{Versions: c.base}, nil}, Past{Record{Versions: c.ours}, []byte("6")})
		var numbers []uint64
		for _, v := range since {
			numbers = append(numbers, v.Number)
		}
		if !slices.Equal(numbers, c.want) {
			t.Errorf("%v, want %v", numbers, c.want)
		}
	}
	if since := Since(theirs, Past{}, Past{Record{Versions: []Version{current}}, []byte("another")}); len(since) != 5 {
		t.Errorf("%+v", since)
	}
}
