package keysource

import (
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// generated checks a key file that Generate made and returns its content.
func generated(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(content) != 65 || content[64] != '\n' {
		t.Fatalf("%d bytes, the last %q", len(content), content[len(content)-1])
	}
	random, err := hex.DecodeString(string(content[:64]))
	if err != nil || hex.EncodeToString(random) != string(content[:64]) {
		t.Errorf("%q are not lower-case hexadecimal digits", content)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode() != 0o400 {
		t.Errorf("mode %v, want 0400", info.Mode())
	}
	return string(content)
}

func TestGenerate(t *testing.T) {
	dir := t.TempDir()
	seen := make(map[string]bool)
	for _, name := range []string{"one.key", "two.key", "three.key"} {
		path := filepath.Join(dir, name)
		if err := Generate(path); err != nil {
			t.Fatal(err)
		}
		content := generated(t, path)
		if seen[content] {
			t.Error("two keys are equal")
		}
		seen[content] = true
		wantPassphrase(t, NewFile(path), content[:64])
	}
}

func TestGenerateNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "vault.key")
	writeKey(t, path, "", 0o600) // an empty file is a file
	wantError(t, Generate(path), fs.ErrExist)
	if content, err := os.ReadFile(path); err != nil || len(content) != 0 {
		t.Errorf("overwritten: %q, %v", content, err)
	}
	wantError(t, Generate(dir), fs.ErrExist)

	target, link := filepath.Join(dir, "target.key"), filepath.Join(dir, "link.key")
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	wantError(t, Generate(link), fs.ErrExist)
	if _, err := os.Lstat(target); !os.IsNotExist(err) {
		t.Errorf("a key was made behind a dangling link: %v", err)
	}
}

func TestGenerateInMissingDirectory(t *testing.T) {
	wantError(t, Generate(filepath.Join(t.TempDir(), "none", "vault.key")), fs.ErrNotExist)
}

func TestGenerateSuccessor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	if err := Generate(path); err != nil {
		t.Fatal(err)
	}
	if err := GenerateSuccessor(path); err != nil {
		t.Fatal(err)
	}
	if generated(t, path) == generated(t, path+SuccessorSuffix) {
		t.Error("the successor is the same key")
	}
	before := generated(t, path+SuccessorSuffix)
	wantError(t, GenerateSuccessor(path), fs.ErrExist)
	if generated(t, path+SuccessorSuffix) != before {
		t.Error("a successor was overwritten")
	}
	wantError(t, GenerateSuccessor(filepath.Join(t.TempDir(), "none.key")), fs.ErrNotExist)
}

func TestGenerateSuccessorTakesMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes on Windows")
	}
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "by hand", 0o600)
	if err := GenerateSuccessor(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path + SuccessorSuffix); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}
