package drop

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// vectors are a key and drops that were sealed to it.
type vectors struct {
	Private     string `json:"private"` // Base64
	Public      string `json:"public"`  // PEM
	ID          string `json:"id"`
	Fingerprint string `json:"fingerprint"`
	Drops       []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
		ID    string `json:"id"`
		Drop  string `json:"drop"` // PEM
	} `json:"drops"`
}

var makeVectors = flag.Bool("make-vectors", false, "write testdata/vectors.json anew; it is frozen")

const vectorsFile = "testdata/vectors.json"

// TestVectors opens what an earlier version has sealed.
func TestVectors(t *testing.T) {
	if *makeVectors {
		writeVectors(t)
	}
	text, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	secret, err := base64.StdEncoding.DecodeString(v.Private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := NewPrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	if string(key.Public.Text()) != v.Public || key.Public.ID() != v.ID || key.Public.Fingerprint() != v.Fingerprint {
		t.Errorf("public half %s, %s", key.Public.ID(), key.Public.Fingerprint())
	}
	if len(v.Drops) < 3 {
		t.Fatal("no drops")
	}
	for _, want := range v.Drops {
		got, err := Parse([]byte(want.Drop))
		if err != nil || len(got) != 1 {
			t.Fatal(err)
		}
		value, err := got[0].Open(key)
		if err != nil || string(value) != want.Value || got[0].Name != want.Name || got[0].ID != want.ID || got[0].KeyID != v.ID {
			t.Errorf("%s: %q, %+v, %v", want.Name, value, got[0], err)
		}
		if string(got[0].Text()) != want.Drop {
			t.Errorf("%s is written otherwise", want.Name)
		}
	}
}

func writeVectors(t *testing.T) {
	key := generate(t)
	secret, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	v := vectors{Private: base64.StdEncoding.EncodeToString(secret), Public: string(key.Public.Text()), ID: key.Public.ID(), Fingerprint: key.Public.Fingerprint()}
	for _, s := range [][2]string{{"STRIPE_KEY", "sk_live_0123456789"}, {"acme/EMPTY", ""}, {strings.Repeat("n", 255), "ß€😀\n"}} {
		d, err := Seal(key.Public, s[0], []byte(s[1]))
		if err != nil {
			t.Fatal(err)
		}
		v.Drops = append(v.Drops, struct {
			Name  string `json:"name"`
			Value string `json:"value"`
			ID    string `json:"id"`
			Drop  string `json:"drop"`
		}{s[0], s[1], d.ID, string(d.Text())})
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.FromSlash(vectorsFile), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func generate(t *testing.T) PrivateKey {
	t.Helper()
	key, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSealAndOpen(t *testing.T) {
	key := generate(t)
	public, err := ParsePublicKey([]byte("From: somebody\n\n" + strings.ReplaceAll(string(key.Public.Text()), "\n", "\r\n") + "\nregards\n"))
	if err != nil {
		t.Fatal(err)
	}
	value := bytes.Repeat([]byte("value "), 10_000)
	d, err := Seal(public, "acme/NAME", value)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Seal(public, "acme/NAME", value)
	if err != nil || other.ID == d.ID || bytes.Equal(other.sealed, d.sealed) {
		t.Error("two drops are the same")
	}
	drops, err := Parse(append(append([]byte("two drops:\n"), d.Text()...), other.Text()...))
	if err != nil || len(drops) != 2 {
		t.Fatal(err)
	}
	for _, d := range drops {
		if got, err := d.Open(key); err != nil || !bytes.Equal(got, value) {
			t.Error(err)
		}
		if _, err := d.Open(generate(t)); !errors.Is(err, ErrOpen) {
			t.Errorf("another key: %v", err)
		}
		renamed := *d
		renamed.Name = "acme/NAMES"
		if _, err := renamed.Open(key); !errors.Is(err, ErrOpen) {
			t.Errorf("another name: %v", err)
		}
		again := *d
		again.ID = strings.Repeat("0", 32)
		if _, err := again.Open(key); !errors.Is(err, ErrOpen) {
			t.Errorf("another id: %v", err)
		}
	}
	small, err := Seal(public, "STRIPE_KEY", []byte("sk_live_0123456789"))
	if size := len(small.Text()); err != nil || size > 2000 {
		t.Errorf("a drop has %d bytes", size)
	}
}

func TestDamagedTexts(t *testing.T) {
	key := generate(t)
	d, err := Seal(key.Public, "NAME", []byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	text := d.Text()
	for _, damaged := range [][]byte{nil, []byte("text"), text[:len(text)/2], key.Public.Text(), append(slices.Clone(text), text[:100]...)} {
		if _, err := Parse(damaged); !errors.Is(err, ErrDrop) {
			t.Errorf("%.40q: %v", damaged, err)
		}
	}
	for _, damaged := range [][]byte{nil, text, key.Public.Text()[:200]} {
		if _, err := ParsePublicKey(damaged); !errors.Is(err, ErrKey) {
			t.Errorf("%.40q: %v", damaged, err)
		}
	}
	for i := range d.sealed {
		if i%97 != 0 {
			continue
		}
		bad := *d
		bad.sealed = slices.Clone(d.sealed)
		bad.sealed[i] ^= 1
		if _, err := bad.Open(key); !errors.Is(err, ErrOpen) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	key, err := Generate()
	if err != nil {
		f.Fatal(err)
	}
	d, err := Seal(key.Public, "NAME", []byte("value"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(d.Text())
	f.Add(key.Public.Text())
	f.Fuzz(func(t *testing.T, text []byte) {
		drops, err := Parse(text)
		for _, d := range drops {
			again, err := Parse(d.Text())
			if err != nil || len(again) != 1 || again[0].Name != d.Name || !bytes.Equal(again[0].sealed, d.sealed) {
				t.Errorf("%+v is written and read as %+v, %v", d, again, err)
			}
		}
		if (err == nil) != (len(drops) > 0) {
			t.Error("no drops and no error")
		}
		_, _ = ParsePublicKey(text)
		_, _ = ParseEntry(text)
	})
}

func TestEntry(t *testing.T) {
	var memory lockedmem.Arena
	defer memory.Destroy()
	key, now := generate(t), time.Unix(1_800_000_000, 0)
	e, err := NewEntry(key, now, &memory)
	if err != nil {
		t.Fatal(err)
	}
	e.Collected = []string{"00ff"}
	for _, replaced := range []int64{0, now.Unix()} {
		e.Replaced = replaced
		text, err := e.Encode(&memory)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseEntry(text)
		if err != nil || got.Created != now.Unix() || got.Replaced != replaced || !slices.Equal(got.Collected, e.Collected) {
			t.Fatalf("%+v, %v", got, err)
		}
		if again, err := got.Key(); err != nil || again.Public.ID() != key.Public.ID() {
			t.Error(err)
		}
	}
	if e.Ended(now.Add(GraceAfterRotation)) || !e.Ended(now.Add(GraceAfterRotation+time.Second)) {
		t.Error("the end of a key is judged wrong")
	}
	for _, bad := range []string{``, `{}`, `{"v":2,"private":"AA=="}`, `{"v":1}`, `{"v":1,"private":""}`, `{"v":1,"private":"AA==","later":1}`, `[`, `{"v":1,"private":1}`} {
		if _, err := ParseEntry([]byte(bad)); !errors.Is(err, ErrEntry) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if e, err := ParseEntry([]byte(`{"v":1,"private":"AA=="}`)); err != nil {
		t.Error(err)
	} else if _, err := e.Key(); !errors.Is(err, ErrEntry) {
		t.Error(err)
	}
}

func TestMergeEntries(t *testing.T) {
	ours := &Entry{Created: 5, Collected: []string{"a", "b"}, private: []byte("key")}
	theirs := &Entry{Created: 5, Replaced: 9, Collected: []string{"b", "c"}, private: []byte("key")}
	if !ours.Merge(theirs) || ours.Replaced != 9 || !slices.Equal(ours.Collected, []string{"a", "b", "c"}) {
		t.Errorf("%+v", ours)
	}
	theirs.Replaced = 7
	if !ours.Merge(theirs) || ours.Replaced != 7 {
		t.Errorf("%+v", ours)
	}
	theirs.Replaced = 0
	if !ours.Merge(theirs) || ours.Replaced != 7 {
		t.Errorf("%+v", ours)
	}
	if ours.Merge(&Entry{Created: 5, private: []byte("other")}) || ours.Merge(&Entry{Created: 6, private: []byte("key")}) {
		t.Error("two keys are merged")
	}
}
