package vaultfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/kdftest"
	"github.com/mazevault/vault-tool/keysource"
)

// TestIndependentReader has a program that shares nothing with this package, in another language and
// on other libraries, read what was created, updated and re-keyed here.
func TestIndependentReader(t *testing.T) {
	kdftest.NeedsMVT1(t)
	const python, script = "/usr/bin/python3", "../testdata/independent/mvt1_reader.py"
	if out, err := exec.Command(python, "-c", "import argon2.low_level, cryptography").CombinedOutput(); err != nil {
		t.Skipf("%s lacks python3-argon2 or python3-cryptography: %v: %s", python, err, out)
	}
	dir := t.TempDir()
	vault, key, nextKey := filepath.Join(dir, "secrets.vault"), filepath.Join(dir, "vault.key"), filepath.Join(dir, "next.key")
	for _, path := range []string{key, nextKey} {
		if err := keysource.Generate(path); err != nil {
			t.Fatal(err)
		}
	}
	u, next := newUnlocker(t, keysource.NewFile(key)), newUnlocker(t, keysource.NewFile(nextKey))
	check := func(step, key string, want map[string]string) {
		t.Helper()
		cmd := exec.Command(python, script, vault, key)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("after %s: %v", step, err)
		}
		if got := unmarshal(t, out); !maps.Equal(got, want) {
			t.Errorf("after %s it reads %q, want %q", step, got, want)
		}
	}

	want := map[string]string{"EMPTY": "", "ALL_ASCII": allASCII(), "UNICODE": "ß€😀\u2028\ufffd\U0010ffff", "a/b-1.c": "scoped"}
	if _, err := Create(t.Context(), vault, u, CreateOptions{}, setAll(want)); err != nil {
		t.Fatal(err)
	}
	check("create", key, want)

	delete(want, "EMPTY")
	want["LONG"] = strings.Repeat("0123456789\n", 10_000)
	_, err := Update(t.Context(), vault, u, UpdateOptions{}, func(d *Draft) error {
		if _, err := d.Set("LONG", []byte(want["LONG"])); err != nil {
			return err
		}
		return d.Delete("EMPTY")
	})
	if err != nil {
		t.Fatal(err)
	}
	check("update", key, want)

	if _, err := Rekey(t.Context(), vault, u, next, RekeyOptions{}); err != nil {
		t.Fatal(err)
	}
	check("rekey", nextKey, want)
}

// TestIndependentReaderOfHistory has that program show the versions of secrets.
func TestIndependentReaderOfHistory(t *testing.T) {
	kdftest.NeedsMVT1(t)
	const python, script = "/usr/bin/python3", "../testdata/independent/mvt1_reader.py"
	if out, err := exec.Command(python, "-c", "import argon2.low_level, cryptography").CombinedOutput(); err != nil {
		t.Skipf("%s lacks python3-argon2 or python3-cryptography: %v: %s", python, err, out)
	}
	key := filepath.Join(t.TempDir(), "vault.key")
	if err := os.WriteFile(key, []byte(testPassphrase), 0o400); err != nil {
		t.Fatal(err)
	}
	w := newDearPastWorld(t, DefaultHistory())
	long := strings.Repeat("n", MaxNameBytes)
	w.set("A", "ß\"old\"\n")
	w.set("A", "new")
	w.set(long, "long")
	w.set("GONE", "gone")
	w.remove("GONE")
	w.set("LOST", "lost")
	w.foreign(func(s map[string]string) { s["LOST"] = "theirs" })
	out, err := exec.Command(python, script, w.path, key, "--history").Output()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string][][3]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"A": `[[1 add ß"old"` + "\n" + `] [2 add new]]`, long: `[[1 add long]]`, "GONE": `[[1 add gone] [2 rm (deleted)]]`, "LOST": `[[1 add (lost)]]`,
	} {
		if shown := fmt.Sprint(got[name]); shown != want {
			t.Errorf("%.20s: %s, want %s", name, shown, want)
		}
	}
	out, err = exec.Command(python, script, w.path, key).Output()
	if secrets := unmarshal(t, out); err != nil || len(secrets) != 3 {
		t.Errorf("%q, %v", secrets, err)
	}
}

// allASCII returns every ASCII character, controls included.
func allASCII() string {
	var all []byte
	for c := range byte(0x80) {
		all = append(all, c)
	}
	return string(all)
}
