package vaultfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// payloadSeeds is the seed corpus of the fuzz targets that read payloads.
var payloadSeeds = []string{
	"", " ", "{}", " {\r\n\t} ", "[]", "null", `"A"`, `{"A":"1"}`, `{"A":"1","B":"2"}`, `{"B":"2","A":"1"}`, `{"A":"1",}`,
	`{"A":"1","A":"2"}`, `{"B":"1","A":"2","B":"3"}`, `{"A":null}`, `{"A":{"B":"1"}}`, `{"A":"1"}x`, `{"a/b.c-d_0":""}`,
	`{"A":"\"\\\/\b\f\n\r\t\u0000\u00DF\ud83d\ude00"}`, `{"A":"\ud800"}`, `{"A":"\ud800\u0041"}`, `{"A":"\u12"}`, `{"\u0041":"1"}`,
	"{\"A\":\"\xff\"}", "{\"A\":\"ß€😀\"}", "{\"A\":\"1\n\"}", `{"-A":"1"}`, `{"":"1"}`, `{"A":"1`, `{"A":"0123456789\n0123456789é"}`,
	`{".":""}`, `{"a/..":""}`, `{"a/./b":""}`, `{".x":"","A":"",".a/b..":""}`, "{\"B\":\"\\n\",\n\n\"A\":\"1\",\n \"A\":\"\\n\"\n}",
}

// FuzzDecodePayload compares the decoder with encoding/json.
func FuzzDecodePayload(f *testing.F) {
	for _, seed := range payloadSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		want, wantErr := referenceDecode(payload)
		decoded := bytes.Clone(payload)
		entries, _, err := decodePayload(decoded, false)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("decodePayload: %v; by encoding/json: %v", err, wantErr)
		}
		if err != nil {
			checkPlace(t, payload, err)
			return
		}
		got := make(map[string]string)
		for _, e := range entries {
			got[string(e.name(decoded))] = string(e.value(decoded))
		}
		if !maps.Equal(got, want) || len(got) != len(entries) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// checkPlace checks that an error is a PayloadError whose line and column lie in the payload or at its
// end.
func checkPlace(t *testing.T, payload []byte, err error) {
	t.Helper()
	var payloadErr *PayloadError
	if !errors.As(err, &payloadErr) {
		t.Fatalf("%v is no PayloadError", err)
	}
	lines := bytes.SplitAfter(payload, []byte("\n"))
	if payloadErr.Line < 1 || payloadErr.Line > len(lines) ||
		payloadErr.Column < 1 || payloadErr.Column > len(lines[payloadErr.Line-1])+1 {
		t.Errorf("%v: no such place in %q", err, payload)
	}
}

var (
	errReference  = errors.New("refused")
	namePattern   = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)*$`)
	dotParts      = regexp.MustCompile(`(^|/)\.\.?(/|$)`)
	escapePattern = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)
)

// referenceDecode reads a payload with encoding/json and adds the rules of the format that it lacks.
func referenceDecode(payload []byte) (map[string]string, error) {
	if !json.Valid(payload) || !utf8.Valid(payload) || hasLoneSurrogate(payload) {
		return nil, errReference
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errReference
	}
	secrets := make(map[string]string)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, ok := token.(string)
		_, duplicate := secrets[name.(string)]
		if !ok || duplicate || len(name.(string)) > MaxNameBytes || !namePattern.MatchString(name.(string)) || dotParts.MatchString(name.(string)) {
			return nil, errReference
		}
		secrets[name.(string)] = value
	}
	return secrets, nil
}

// hasLoneSurrogate tells whether a valid JSON text escapes half of a surrogate pair, for which
// encoding/json puts U+FFFD.
func hasLoneSurrogate(text []byte) bool {
	var high rune
	highEnd := -1
	for _, at := range escapePattern.FindAllIndex(text, -1) {
		var r rune
		if at[1]-at[0] == len(`\u0000`) {
			n, _ := strconv.ParseUint(string(text[at[0]+2:at[1]]), 16, 16)
			r = rune(n)
		}
		switch {
		case highEnd >= 0 && (at[0] != highEnd || utf16.DecodeRune(high, r) == utf8.RuneError):
			return true
		case highEnd >= 0:
			highEnd = -1
		case r >= 0xDC00 && r < 0xE000:
			return true
		case r >= 0xD800 && r < 0xDC00:
			high, highEnd = r, at[1]
		}
	}
	return highEnd >= 0
}

// FuzzRoundTrip writes again what it could read: equal content, and a form that stays the same from
// then on.
func FuzzRoundTrip(f *testing.F) {
	for _, seed := range payloadSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		buf, err := lockedmem.New(len(payload))
		if err != nil {
			t.Fatal(err)
		}
		copy(buf.Bytes(), payload)
		v, err := newVault(buf, true)
		if err != nil {
			return
		}
		defer v.Close()
		canonical := encoded(t, newDraft(v))
		again := openPayload(t, canonical)
		if !maps.Equal(content(t, again), content(t, v)) {
			t.Errorf("written as %q and read back as %q", canonical, content(t, again))
		}
		if got := encoded(t, newDraft(again)); !bytes.Equal(got, canonical) {
			t.Errorf("canonical %q is written again as %q", canonical, got)
		}
	})
}

// fuzzKey returns a key that no derivation was made for.
func fuzzKey(tb testing.TB) *derivedKey {
	tb.Helper()
	key, err := lockedmem.NewSplit(bytes.Repeat([]byte{7}, int(kdfParams.KeyBytes)))
	if err != nil {
		tb.Fatal(err)
	}
	k := &derivedKey{key: key}
	tb.Cleanup(k.destroy)
	return k
}

// FuzzOpen reads arbitrary bytes as a vault file, or with sealed, as the payload of one that the key
// opens.
func FuzzOpen(f *testing.F) {
	for _, seed := range payloadSeeds {
		f.Add([]byte(seed), true)
	}
	k := fuzzKey(f)
	whole, err := seal(k, []byte(`{"A":"1"}`))
	if err != nil {
		f.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	for _, seed := range [][]byte{nil, []byte("MVT1"), whole, whole[:47], whole[:48], whole[:50], flipped, append([]byte("MVT2"), whole[4:]...)} {
		f.Add(seed, false)
	}
	file, err := os.Create(filepath.Join(f.TempDir(), "fuzz.vault"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = file.Close() })
	f.Fuzz(func(t *testing.T, data []byte, sealed bool) {
		stored := data
		if sealed {
			if stored, err = seal(k, data); err != nil {
				t.Fatal(err)
			}
		}
		rewrite(t, file, stored)
		v, err := openFrom(file, k)
		if err != nil {
			wantOneOf(t, err, ErrTooSmall, ErrNotVault, ErrDecryption, ErrPayload)
		}
		if _, wantErr := referenceDecode(data); sealed && (err == nil) != (wantErr == nil) {
			t.Errorf("%v; its payload: %v", err, wantErr)
		}
		v.Close()
	})
}

func rewrite(t *testing.T, file *os.File, content []byte) {
	t.Helper()
	err := file.Truncate(0)
	if err == nil {
		_, err = file.WriteAt(content, 0)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// openFrom opens an open vault file with a key that is at hand.
func openFrom(file *os.File, k *derivedKey) (*Vault, error) {
	s, err := readSealedFrom(file)
	if err != nil {
		return nil, err
	}
	payload, err := s.open(k)
	if err != nil {
		return nil, err
	}
	return newVault(payload, true)
}

func wantOneOf(t *testing.T, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if errors.Is(err, w) {
			return
		}
	}
	t.Errorf("error %v, want one of %v", err, want)
}
