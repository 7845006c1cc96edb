package editing

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

func TestTextRoundTrip(t *testing.T) {
	var secrets []Secret
	for i, value := range []string{
		"", "plain", "two words", " blank", "blank ", "tab\tbed", "it's", `"quoted"`, `say "hi"`, `\`, "$HOME #x", "line\nline\n", "cr\r", "\x01", "ß€😀", "\u2028",
		"a=b", "=", "#", "#! x", "\ufeff", "\u0085", strings.Repeat("long ", 5000),
	} {
		secrets = append(secrets, Secret{"acme/N" + string(rune('A'+i)), []byte(value)})
	}
	text := AppendText(make([]byte, 0, TextLen(secrets)), secrets)
	if len(text) != TextLen(secrets) {
		t.Errorf("%d bytes, TextLen is %d", len(text), TextLen(secrets))
	}
	var memory lockedmem.Arena
	defer memory.Destroy()
	got, err := ParseText(append([]byte(Head), text...), &memory)
	if err != nil || len(got) != len(secrets) {
		t.Fatalf("%d secrets, %v", len(got), err)
	}
	for i, s := range got {
		if s.Name != secrets[i].Name || !bytes.Equal(s.Value, secrets[i].Value) {
			t.Errorf("%s: %q, want %q", s.Name, s.Value, secrets[i].Value)
		}
		if line := LineOf(append([]byte(Head), text...), s.Name); line != strings.Count(Head, "\n")+i+1 {
			t.Errorf("%s is on line %d", s.Name, line)
		}
	}
}

func TestTextMistakes(t *testing.T) {
	var memory lockedmem.Arena
	defer memory.Destroy()
	for text, line := range map[string]int{
		"A=1\nB\n": 2, "A=\"open\n": 1, "# x\n\nA=\"a\"b\n": 3, "A=1\nB=2\nA=3\n": 3, "A=\"\\q\"\n": 1, "-----BEGIN\n": 1,
	} {
		var mistake *LineError
		if _, err := ParseText([]byte(text), &memory); !errors.As(err, &mistake) || mistake.Line != line {
			t.Errorf("%q: %v, want line %d", text, err, line)
		}
	}
	got, err := ParseText([]byte("\ufeff  A = x \r\n\n#c\nB=\"y\" \n"), &memory)
	if err != nil || len(got) != 2 || got[0].Name != "A" || string(got[0].Value) != " x " || string(got[1].Value) != "y" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestDirectoryIsWiped overwrites what is there before it is removed: an open file shows it.
func TestDirectoryIsWiped(t *testing.T) {
	d, err := NewDirectory(func(string) string { return "" }, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write("secrets.env", []byte("hunter2")); err != nil {
		t.Fatal(err)
	}
	path, err := d.Write("secrets.env", []byte("hunter2 again"))
	if err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(d.Path(), "sub", "deep")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(deep, "backup~"), []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(deep, "link")); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	left := make([]byte, 100)
	if n, _ := f.Read(left); bytes.Contains(left[:n], []byte("hunter2")) {
		t.Errorf("%q is left", left[:n])
	}
	if _, err := os.Stat(d.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := os.Stat("/etc/passwd"); err != nil {
		t.Error(err)
	}
}
