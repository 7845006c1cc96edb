package gitdiff

import (
	"errors"
	"strings"
	"testing"
)

func text(t *testing.T, key []byte, pairs ...string) string {
	t.Helper()
	w, err := NewWriter(key)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		w.Add(pairs[i], []byte(pairs[i+1]))
	}
	return string(w.Text())
}

func TestText(t *testing.T) {
	fixed := []byte(`{"v":1,"key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}`)
	// HMAC-SHA256 of "A", a zero byte and "value", under the bytes 0 to 31: computed with OpenSSL.
	if got := text(t, fixed, "A", "value"); got != "A 095709f726f0e2d8\n" {
		t.Errorf("%q", got)
	}
	key := NewKey()
	lines := strings.Split(text(t, key, "A", "1", "B", "1", "A", "2", "A", "1", "A", ""), "\n")
	if lines[0] != lines[3] || lines[0] == lines[2] || lines[0][1:] == lines[1][1:] || lines[0] == lines[4] {
		t.Errorf("%q", lines)
	}
	if lines[0] == strings.Split(text(t, NewKey(), "A", "1"), "\n")[0] {
		t.Error("the key does not matter")
	}
	if got := text(t, nil, "A", "1", "B", ""); got != "A\nB\n" {
		t.Errorf("%q", got)
	}
}

func TestUnknownKeys(t *testing.T) {
	for _, src := range []string{`x`, `{}`, `{"v":2,"key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}`, `{"v":1,"key":"AA"}`, `{"v":1,"key":"?"}`, `{"v":1,"key":"AA","x":1}`,
		`{"v":1,"key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"} x`} {
		if _, err := NewWriter([]byte(src)); !errors.Is(err, ErrEntry) {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func FuzzNewWriter(f *testing.F) {
	f.Add(NewKey())
	f.Add([]byte(`{"v":1,"key":""}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		w, err := NewWriter(src)
		if err != nil {
			return
		}
		w.Add("A", src)
		if text := string(w.Text()); !strings.HasPrefix(text, "A") || !strings.HasSuffix(text, "\n") {
			t.Errorf("%q", text)
		}
	})
}
