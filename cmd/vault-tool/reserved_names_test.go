package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/kdf"
)

// theToolsOwn is what another version of the tool may have put into a vault.
var theToolsOwn = map[string]string{
	".settings":             `{"v":1}`,
	".history/A":            "hunter2-before",
	".a-later-kind/x/y":     "hunter2-later",
	".pulled/SMTP_PASSWORD": "hunter2-pulled",
}

// TestReservedNamesStayOut runs every command on a vault with entries of the tool's own: none gives, names or counts
// them, and those that write keep them.
func TestReservedNamesStayOut(t *testing.T) {
	f := newFolder(t, true)
	f.mustRun("", "init")
	f.mustRun(`{"A":"1","SMTP_PASSWORD":"2"}`, "encrypt")
	payload := maps.Clone(theToolsOwn)
	payload["A"], payload["SMTP_PASSWORD"] = "1", "2"
	f.sealPayload(payload)

	for _, args := range [][]string{
		{"list"}, {"list", "--json"}, {"list", ".*"}, {"list", ".*/*"}, {"decrypt"}, {"decrypt", "--json"},
		{"decrypt", "--show-values"}, {"decrypt", "--show-values", "--json"}, {"exec", "--", "env"},
		{"exec", "--only", ".*", "--", "env"}, {"render", "--dir", "out", "--allow-disk"}, {"render", "--json", "--dir", "out2", "--allow-disk"},
		{"__complete", "get", ""}, {"__complete", "get", "."}, {"__complete", "rm", "."},
	} {
		r := f.run("", args...)
		for name, value := range theToolsOwn {
			if r.code != exitOK || strings.Contains(r.stdout, name) || strings.Contains(r.stdout, value) {
				t.Errorf("vault-tool %q: exit %d, %s%s", args, r.code, r.stdout, r.stderr)
			}
		}
	}
	for _, dir := range []string{"out", "out2"} {
		entries, err := os.ReadDir(f.path(dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), ".vault-tool-render.json") {
				t.Errorf("render wrote %s", e.Name())
			}
		}
	}

	refused := []string{"names that begin with '.'"}
	for name := range theToolsOwn {
		f.wantFailure(exitUsage, refused, "x", "add", "--name", name)
		f.wantFailure(exitUsage, refused, "", "get", name)
		f.wantFailure(exitUsage, refused, "", "rm", name)
	}
	f.wantFailure(exitUsage, append(refused, "standard input", ".b"), `{"B":"1",".b":"2"}`, "encrypt", "--vault-file", "other.vault")
	f.write("env", ".settings=hunter2-Value\nB_PASSWORD=hunter2-Value\n", 0o600)
	f.wantFailure(exitUsage, refused, "", "migrate-env", "--env-file", "env", "--all")
	f.wantKept(payload)

	f.mustRun("3", "add", "--name", "A")
	payload["A"] = "3"
	f.wantKept(payload)
	f.mustRun("", "rm", "SMTP_PASSWORD")
	delete(payload, "SMTP_PASSWORD")
	f.mustRun("", "rotate-key", "--in-place")
	f.wantKept(payload)
	f.mustRun(`{"NEW":"4"}`, "encrypt", "--force")
	delete(payload, "A")
	payload["NEW"] = "4"
	f.wantKept(payload)
}

// sealPayload writes the vault as another program would, with the salt it has.
func (f *folder) sealPayload(secrets map[string]string) {
	f.t.Helper()
	text, err := json.Marshal(secrets)
	if err != nil {
		f.t.Fatal(err)
	}
	header := []byte(f.read("secrets.vault"))[:32]
	file := f.aead(header).Seal(header, header[20:32], text, nil)
	f.write("secrets.vault", string(file), 0o600)
}

// payload is the content of the vault.
func (f *folder) payload() string {
	f.t.Helper()
	file := []byte(f.read("secrets.vault"))
	text, err := f.aead(file).Open(nil, file[20:32], file[32:], nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// wantKept demands that the vault holds exactly these, the tool's own entries in front of all secrets.
func (f *folder) wantKept(want map[string]string) {
	f.t.Helper()
	text := []byte(f.payload())
	var got map[string]string
	if err := json.Unmarshal(text, &got); err != nil {
		f.t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		f.t.Errorf("the vault holds %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	if last := bytes.LastIndex(text, []byte(`".`)); last > bytes.Index(text, []byte(`"A"`)) && bytes.Contains(text, []byte(`"A"`)) {
		f.t.Errorf("the tool's entries do not stand in front: %s", text)
	}
}

// aead is the cipher of a vault, with the cheap derivation of the quick build.
func (f *folder) aead(file []byte) cipher.AEAD {
	f.t.Helper()
	key := make([]byte, kdf.MVT1().KeyBytes)
	p := kdf.Params{MemoryKiB: 64, Iterations: 1, Lanes: 4, KeyBytes: 32}
	passphrase := bytes.TrimSuffix([]byte(f.read("vault.key")), []byte("\n"))
	if err := p.Derive(key, passphrase, file[4:20]); err != nil {
		f.t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		f.t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		f.t.Fatal(err)
	}
	return aead
}
