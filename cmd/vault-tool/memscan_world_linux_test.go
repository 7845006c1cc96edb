package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mazevault/vault-tool/keysource"
)

// scanUserID is the user and group "nobody" of most systems; it need not exist.
const scanUserID = 65534

// scanWorld is a directory with vaults and keys that commands work on, and all the secrets in it.
type scanWorld struct {
	t       *testing.T
	dir     string
	command []string // the tool, and what goes before it
	env     []string // beside that of the test
	user    int
	needles *needles
	known   map[string]bool   // what learn need not look at again
	keys    [][]byte          // the passphrases so far
	derived map[string][]byte // by salt and passphrase
}

// scanOptions say how the tool runs.
type scanOptions struct {
	user      int  // and group
	noLocking bool // RLIMIT_MEMLOCK is 0
}

func newScanWorld(t *testing.T, tool string, o scanOptions) *scanWorld {
	t.Helper()
	dir, err := os.MkdirTemp("", "memscan") // t.TempDir's parent is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, o.user, o.user); err != nil {
		t.Fatal(err)
	}
	w := &scanWorld{t: t, dir: dir, user: o.user, needles: newNeedles(), known: make(map[string]bool), derived: make(map[string][]byte)}
	w.command = []string{tool}
	if o.noLocking {
		w.command = []string{"sh", "-c", `ulimit -l 0; exec "$0" "$@"`, tool}
	}
	return w
}

// canary returns a random value and has it searched for under its name.
func (w *scanWorld) canary(name string) string {
	value := name[:1] + "-" + rand.Text() + strings.ToLower(rand.Text()) // 54 bytes
	w.needles.add("the value of "+name, []byte(value))
	return value
}

// file makes a file of the world's user.
func (w *scanWorld) file(name, content string, mode os.FileMode) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chown(path, w.user, w.user); err != nil {
		w.t.Fatal(err)
	}
}

// copyFile copies a file of the world.
func (w *scanWorld) copyFile(from, to string) {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.dir, from))
	if err != nil {
		w.t.Fatal(err)
	}
	w.file(to, string(content), 0o600)
}

// start runs the tool to a point.
func (w *scanWorld) start(point, stdin string, args ...string) *scannable {
	w.t.Helper()
	argv := append(slices.Clone(w.command), args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = w.dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = slices.Concat(os.Environ(), []string{"MAZEVAULT_VAULT_FILE=", "MAZEVAULT_VAULT_KEY_FILE="}, w.env)
	if w.user != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(w.user), Gid: uint32(w.user)}}
	}
	return startScannable(w.t, cmd, point)
}

// anyCode stands for every exit code that a command ends with by itself.
const anyCode = -1

// clean runs the tool to its end and demands that it exits with code and held no secret when it was
// done. It returns its standard output.
func (w *scanWorld) clean(code int, stdin string, args ...string) string {
	w.t.Helper()
	s := w.start("done", stdin, args...)
	w.learn()
	found := s.scan(w.t, w.needles)
	if got := s.finish(w.t); got != code && (code != anyCode || got > exitBusy) {
		w.t.Fatalf("vault-tool %s: exit code %d, want %d; stderr: %s", strings.Join(args, " "), got, code, &s.stderr)
	}
	for _, label := range slices.Sorted(maps.Keys(found)) {
		w.t.Errorf("vault-tool %s left %s: %d pieces, at %s", strings.Join(args, " "), label, len(found[label]), found[label][0])
	}
	return s.stdout.String()
}

// learn looks for keys, salts and values that have come into the world, and has them and everything
// that leads to them searched for.
func (w *scanWorld) learn() {
	w.t.Helper()
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), ".key") {
			w.learnKey(e.Name())
		}
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), ".vault") && !strings.HasSuffix(e.Name(), ".lock") {
			w.learnVault(e.Name())
		}
	}
}

func (w *scanWorld) learnKey(name string) {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	passphrase, err := keysource.Passphrase(content)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.seen(passphrase) {
		return
	}
	w.keys = append(w.keys, passphrase)
	label := "the passphrase in " + name
	w.needles.add(label, passphrase)
	if raw, err := hex.DecodeString(string(passphrase)); err == nil {
		w.needles.add(label+" before it became text", raw)
	}
}

func (w *scanWorld) learnVault(name string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	file, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(file) < 48 || w.seen(file[:32]) { // by salt and nonce
		return
	}
	for i, passphrase := range w.keys {
		w.learnGenerated(file, w.derive(passphrase, file[4:20], fmt.Sprintf("of key %d for the salt of %s", i+1, name)))
	}
}

// learnWrongKey has what the newest key would make of the salt of a vault searched for.
func (w *scanWorld) learnWrongKey(vault string) {
	w.t.Helper()
	file, err := os.ReadFile(filepath.Join(w.dir, vault))
	if err != nil {
		w.t.Fatal(err)
	}
	w.derive(w.keys[len(w.keys)-1], file[4:20], "of the wrong key for the salt of "+vault)
}

// derive returns the key for a passphrase and a salt, and has it and what leads to it searched for.
func (w *scanWorld) derive(passphrase, salt []byte, label string) []byte {
	id := string(salt) + string(passphrase)
	if key, ok := w.derived[id]; ok {
		return key
	}
	d := deriveStepwise(passphrase, salt)
	w.derived[id] = d.key
	w.needles.add("the derived key "+label, d.key)
	w.needles.add("the derived key in hex "+label, []byte(hex.EncodeToString(d.key)))
	w.needles.add("the pre-hash "+label, d.preHash)
	w.needles.add("the last block "+label, d.lastBlock)
	return d.key
}

// generatedPrefix begins the names of secrets whose value the tool draws.
const generatedPrefix = "GENERATED"

// learnGenerated takes the values that the tool has drawn itself from a vault.
func (w *scanWorld) learnGenerated(file, key []byte) {
	w.t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		w.t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		w.t.Fatal(err)
	}
	payload, err := gcm.Open(nil, file[20:32], file[32:], nil)
	if err != nil {
		return // not its key
	}
	var secrets map[string]string
	if err := json.Unmarshal(payload, &secrets); err != nil {
		w.t.Fatal(err)
	}
	for name, value := range secrets {
		if !strings.HasPrefix(name, generatedPrefix) || w.seen([]byte(value)) {
			continue
		}
		w.needles.add("the value of "+name, []byte(value))
		if raw, err := hex.DecodeString(value); err == nil {
			w.needles.add("the value of "+name+" before it became text", raw)
		}
	}
}

func (w *scanWorld) seen(what []byte) bool {
	before := w.known[string(what)]
	w.known[string(what)] = true
	return before
}

// secretsJSON returns a JSON object of so many canaries, some with escapes, named with a prefix.
func (w *scanWorld) secretsJSON(prefix string, count int) string {
	var members []string
	for i := range count {
		name := prefix + strconv.Itoa(i)
		value := strconv.Quote(w.canary(name))
		if i%4 == 1 { // two halves with an escape between them, so that decoding moves the second
			value = strings.Replace(value, "-", `-\n\t\"`, 1)
		}
		members = append(members, strconv.Quote(name)+": "+value)
	}
	return "{" + strings.Join(members, ",\n ") + "}"
}
