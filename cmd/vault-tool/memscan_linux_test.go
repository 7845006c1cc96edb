package main

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/mazevault/vault-tool/internal/kdftest"
	"github.com/mazevault/vault-tool/internal/keycache/keycachetest"
	"github.com/mazevault/vault-tool/internal/testdir"
)

var scanRuns = flag.Int("memscan.runs", 1, "how often the memory scan repeats all commands; what is left behind depends on chance")

// buildForScan builds the tool with points to pause at.
func buildForScan(t *testing.T, experiment string) string {
	t.Helper()
	kdftest.NeedsMVT1(t)
	if testing.Short() {
		t.Skip("a scan of all memory takes its time")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root to read the memory of a process that forbids it")
	}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("runtime/secret does not support " + runtime.GOARCH)
	}
	dir, err := os.MkdirTemp("", "memscan") // t.TempDir's parent is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	testdir.Open(t, dir)
	tool := filepath.Join(dir, "vault-tool")
	build := exec.Command("go", "build", "-tags", "memscan", "-trimpath", "-o", tool, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOEXPERIMENT="+experiment)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return tool
}

// TestNoSecretStaysInMemory scans all memory of every command when it has done its work.
func TestNoSecretStaysInMemory(t *testing.T) {
	tool := buildForScan(t, "runtimesecret")
	for _, c := range []struct {
		name    string
		options scanOptions
	}{
		{"root", scanOptions{}},
		{"unprivileged", scanOptions{user: scanUserID}},
		{"unprivileged without locked memory", scanOptions{user: scanUserID, noLocking: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range *scanRuns {
				w := newScanWorld(t, tool, c.options)
				w.makeVault()
				w.readVault()
				w.deliver()
				w.changeVault()
				w.useHistory()
				w.useGit()
				w.handIn()
				w.connectStores()
				w.migrateFiles()
				w.backUp()
				w.rotateKeys()
				w.failToOpen()
			}
		})
	}
}

func (w *scanWorld) makeVault() {
	w.clean(exitOK, "", "init")
	w.clean(exitConflict, "", "init")
	secrets := w.secretsJSON("SECRET_", 27)
	w.clean(exitUsage, strings.TrimSuffix(secrets, "}")+`, "SECRET_0": "again"}`, "encrypt")
	w.clean(exitUsage, strings.TrimSuffix(secrets, `"}`), "encrypt")
	w.clean(exitOK, secrets, "encrypt")
	w.clean(exitConflict, secrets, "encrypt")
}

func (w *scanWorld) readVault() {
	w.clean(exitOK, "", "list")
	w.clean(exitOK, "", "decrypt")
	w.clean(exitOK, "", "decrypt", "--show-values")
	w.clean(exitOK, "", "decrypt", "--show-values", "--json")
	w.clean(exitOK, "", "get", "SECRET_1")
	w.clean(exitOK, "", "get", "SECRET_2", "--json")
	w.clean(exitNotFound, "", "get", "ABSENT")
	w.clean(exitOK, "", "__complete", "get", "")
	w.findValues()
	w.clean(exitOK, "", "verify", "secrets.vault", "--require", "SECRET_1", "--against", "secrets.vault")
	w.clean(exitCannotOpen, "", "verify", ".", "vault.key", "--json")
	w.readCached()
}

// findValues has values in a file and in a stream, as they are and encoded.
func (w *scanWorld) findValues() {
	leak := "x " + w.clean(exitOK, "", "get", "SECRET_1") + "\n" +
		base64.StdEncoding.EncodeToString([]byte("user:"+w.clean(exitOK, "", "get", "SECRET_2"))) + "\n"
	w.file("leak", strings.Repeat(leak, 2_000), 0o600)
	w.clean(exitConflict, "", "scan", ".")
	w.clean(exitConflict, leak, "scan", "-", "--json")
	w.clean(exitOK, leak, "redact")
	if err := os.Remove(filepath.Join(w.dir, "leak")); err != nil { // other commands look at all files
		w.t.Fatal(err)
	}
}

// readCached works with the cache of keys.
func (w *scanWorld) readCached() {
	release, err := keycachetest.Hold()
	if err != nil {
		w.t.Fatal(err)
	}
	defer release()
	w.clean(exitOK, "", "list", "--key-cache", "1m") // fills the cache
	w.clean(exitOK, "", "get", "SECRET_1", "--key-cache", "1m")
	w.clean(exitOK, w.canary("CACHED"), "add", "--name", "CACHED", "--key-cache", "1m")
	w.clean(exitOK, "", "forget")
}

// TestNoSecretStaysInMemoryWithCachedKey goes where no derivation, with the collection that follows it, hides what is left:
// errors, values that need every escape, and values that are larger than a small buffer.
func TestNoSecretStaysInMemoryWithCachedKey(t *testing.T) {
	w := newScanWorld(t, buildForScan(t, "runtimesecret"), scanOptions{})
	release, err := keycachetest.Hold()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	w.clean(exitOK, "", "init")
	w.clean(exitOK, w.secretsJSON("SECRET_", 9), "encrypt", "--key-cache", "1m")
	w.useCachedKey()
	w.clean(exitOK, "", "forget")
}

func (w *scanWorld) useCachedKey() {
	cached := func(code int, stdin string, args ...string) {
		w.t.Helper()
		w.clean(code, stdin, append(args, "--key-cache", "1m")...)
	}
	for i, odd := range []string{"'", `"`, `'"`, `\`, "\r\n'", `$x'\`, "\x01\u00e9\U0001f600", " # "} {
		name := fmt.Sprintf("ODD_%d", i)
		cached(exitOK, w.canary(name)+odd+w.canary(name)+odd, "add", "--raw", "--name", name)
		cached(exitOK, "", "get", "--json", name)
	}
	large := strings.Repeat(w.canary("CACHED_LARGE")+"\n'\\\"", 2_000)
	cached(exitOK, large, "add", "--name", "CACHED_LARGE")
	cached(exitOK, large, "add", "--name", "CACHED_LARGE") // compares
	cached(exitOK, "", "get", "CACHED_LARGE")
	cached(exitOK, "", "get", "CACHED_LARGE", "--json")
	cached(exitUsage, "", "decrypt", "--show-values") // for some of the values there is no line
	cached(exitOK, "", "decrypt", "--show-values", "--except", "ODD_*", "--except", "CACHED_LARGE")
	cached(exitOK, "", "decrypt", "--show-values", "--json")
	cached(exitOK, "", "add", "--name", generatedPrefix+"_CACHED", "--generate")
	cached(exitUsage, w.canary("CACHED")+"\xff"+w.canary("CACHED"), "add", "--name", "CACHED")
	cached(exitUsage, w.canary("CACHED"), "add", "--name", "-CACHED")
	cached(exitNotFound, w.canary("CACHED"), "add", "--name", "CACHED", "--vault-file", "absent.vault")
	cached(exitOK, "", "rm", "ODD_0", "CACHED_LARGE")
	cached(exitNotFound, "", "rm", "ABSENT")
	cached(exitOK, "", "__complete", "get", "")
	cached(exitOK, "", "__complete", "exec", "--require", "")
	for _, broken := range []string{
		`%s`, `"%s"`, `["%s"]`, `{"A": "%s"`, `{"A": "%s`, `{"A": "%s\`, `{"A": "%s\u12"}`, `{"A": "%s\ud800"}`, "{\"A\": \"%s\n\"}",
		"{\"A\": \"%s\xff\"}", `{"A": "%s",}`, `{"A": "%s"} more`, `{"A": "%s", "A": "1"}`, `{"A": ["%s"]}`, `{"A": {"B": "%s"}}`,
		`{"A" "%s"}`, `{"%s"}`, `{"A": "%s", "B": 1}`, `{"A": "%s", "b c": "1"}`, `{"A": "1", "B": "%s\q"}`,
	} {
		cached(exitUsage, strings.ReplaceAll(broken, "%s", w.canary("BROKEN")), "encrypt", "--force")
	}
	w.file("wrong.key", w.canary("WRONG_KEY")+"\n", 0o400)
	w.learnKey("wrong.key")
	w.learnWrongKey("secrets.vault")
	cached(exitCannotOpen, "", "list", "--key-file", "wrong.key")
	cached(exitOK, "", "rotate-key", "--in-place")
	cached(exitOK, "", "get", "ODD_1")
}

// deliver hands secrets on, in strings and through a library.
func (w *scanWorld) deliver() {
	w.file("app.conf.in", `password = {{ secret "SECRET_1" }}`, 0o600)
	w.clean(exitOK, "", "render", "--dir", "rendered", "--allow-disk")
	w.clean(exitOK, "", "render", "--template", "app.conf.in", "--output", "app.conf", "--allow-disk")
	w.clean(exitNotFound, "", "exec", "--require", "ABSENT", "--", "true")
	w.clean(exitOK, "", "exec", "--redact", "--", "env")
	w.clean(exitNotExecutable, "", "exec", "--redact", "--", "./secrets.vault")
	w.file("not-a-program", "\x7fELF", 0o700)
	w.clean(exitNotExecutable, "", "exec", "--", "./not-a-program")
}

func (w *scanWorld) changeVault() {
	w.clean(exitOK, w.canary("ADDED")+"\n", "add", "--name", "ADDED")
	w.clean(exitOK, w.canary("ADDED")+"\r\n", "add", "--name", "ADDED", "--json")
	w.clean(exitOK, w.canary("ADDED"), "add", "--name", "ADDED", "--if-absent")
	w.clean(exitOK, "", "add", "--name", generatedPrefix, "--generate")
	w.clean(exitUsage, w.canary("ADDED")+"\xff", "add", "--name", "ADDED")
	w.clean(exitNotFound, w.canary("ADDED"), "add", "--name", "ADDED", "--vault-file", "absent.vault")
	w.clean(exitOK, strings.Repeat(w.canary("LARGE"), 20_000), "add", "--name", "LARGE", "--create", "--vault-file", "large.vault")
	w.clean(exitOK, "", "rm", "ADDED", "SECRET_3")
	w.clean(exitNotFound, "", "rm", "ABSENT")
	w.clean(exitOK, w.secretsJSON("SECOND_", 5), "encrypt", "--force")
}

// useHistory works with earlier values.
func (w *scanWorld) useHistory() {
	patch := `{"APPLIED": "` + w.canary("APPLIED") + `", "SECOND_0": "` + w.canary("SECOND_0, changed") + `", "SECOND_1": null}`
	w.clean(exitOK, patch, "apply", "--dry-run")
	w.clean(exitOK, patch, "apply")
	w.clean(exitUsage, strings.Replace(patch, "null", "1", 1), "apply")
	w.clean(exitOK, "LINE="+w.canary("LINE")+"\n", "apply", "--from", "dotenv")
	w.clean(exitOK, "", "list")
	w.clean(exitOK, "", "list", "--long")
	w.clean(exitOK, "", "inspect")
	w.clean(exitOK, "", "history")
	w.clean(exitOK, "", "get", "SECOND_0", "--version", "1")
	w.clean(exitOK, "", "rollback", "SECOND_0")
	w.clean(exitOK, "", "undelete", "SECOND_1")
	w.clean(exitOK, "", "rename", "SECOND_2", "RENAMED")
	w.clean(exitOK, "", "verify", "secrets.vault", "large.vault", "--against", "secrets.vault")
	w.clean(exitOK, "", "verify", "large.vault", "secrets.vault", "--against", "large.vault")
	w.clean(exitOK, "", "destroy", "APPLIED")
	w.clean(exitOK, "", "rollback", "--all", "--to", "0s")
	w.clean(exitOK, "", "diff", "--at", "0s")
	w.clean(exitOK, "", "diff", "--at", "1h", "--json")
	w.file("compared.env", "LINE="+w.canary("LINE, compared")+"\nOTHER="+w.canary("OTHER")+"\n", 0o600)
	w.clean(exitConflict, "", "diff", "compared.env", "--exit-code")
	w.clean(exitUsage, "BROKEN='"+w.canary("BROKEN"), "diff", "-")
	w.clean(exitOK, "", "export", "--format", "sh")
	w.clean(exitOK, "", "export", "--format", "k8s-secret", "--out", "secret.yaml")
}

// useGit does what git has the tool do.
func (w *scanWorld) useGit() {
	w.clean(exitOK, "", "git", "textconv", "secrets.vault")
	w.clean(exitOK, "", "git", "textconv", "compared.env")
	w.copyFile("secrets.vault", "base.vault")
	w.copyFile("secrets.vault", "theirs.vault")
	w.clean(exitOK, w.canary("CONFLICT"), "add", "CONFLICT")
	w.clean(exitOK, w.canary("CONFLICT, theirs"), "add", "CONFLICT", "--vault-file", "theirs.vault")
	w.clean(exitOK, w.canary("THEIRS"), "add", "THEIRS", "--vault-file", "theirs.vault")
	w.clean(exitConflict, "", "git", "merge", "base.vault", "secrets.vault", "theirs.vault", "secrets.vault")
	w.clean(exitCannotOpen, "", "git", "merge", "compared.env", "secrets.vault", "theirs.vault", "secrets.vault")
	if _, err := exec.LookPath("git"); err != nil {
		return
	}
	w.git("init", "-q")
	w.clean(exitOK, "", "git-setup", "--pre-commit")
	w.git("add", "-f", "compared.env", "vault.key")
	w.clean(exitConflict, "", "git", "pre-commit")
	if err := errors.Join(os.RemoveAll(filepath.Join(w.dir, ".git")), os.Remove(filepath.Join(w.dir, ".gitattributes"))); err != nil {
		w.t.Fatal(err) // doctor would see them
	}
}

// git runs git as the world's user.
func (w *scanWorld) git(args ...string) {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
	if w.user != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(w.user), Gid: uint32(w.user)}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("git %q: %v: %s", args, err, out)
	}
}

// handIn works with drops, whose private key is a secret as well.
func (w *scanWorld) handIn() {
	w.clean(exitOK, "", "drop-key")
	w.clean(exitOK, w.canary("DROPPED"), "seal", "--to", "secrets.vault.drop.pub", "--name", "DROPPED", "--out", "dropped")
	w.clean(exitOK, "", "collect", "dropped")
	w.clean(exitOK, "", "inspect")
	w.clean(exitOK, "", "drop-key", "--rotate")
}

func (w *scanWorld) migrateFiles() {
	env := "# settings\nPORT=8080\n" +
		"MAZEVAULT_JWT_KEY=" + w.canary("JWT_KEY") + "\n" +
		"DATABASE_URL='postgres://u:" + w.canary("DATABASE_URL") + "@h/db'\n" +
		"SMTP_PASSWORD=\"" + w.canary("SMTP_PASSWORD") + "\" # mail\n" +
		"export REDIS_URL=\"" + w.canary("REDIS_URL") + "\\n" + w.canary("REDIS_URL, second line") + "\"\n" +
		"JIRA_API_TOKEN=" + w.canary("JIRA_API_TOKEN") + "${PORT}\n" +
		"LEFT_PASSWORD=" + w.canary("LEFT_PASSWORD") + "\n" +
		"LEFT_DOUBTFUL=\"" + w.canary("LEFT_DOUBTFUL") + "\" behind\n"
	w.file(".env", env, 0o600)
	w.clean(exitOK, "", "migrate-env", "--env-file", ".env", "--dry-run")
	w.clean(exitUsage, "", "migrate-env", "--env-file", ".env", "--all")
	w.clean(exitOK, "", "migrate-env", "--env-file", ".env", "--prune")
	w.examine()
	w.file("other.env", "SMTP_PASSWORD="+w.canary("SMTP_PASSWORD")+"\n", 0o600)
	w.clean(exitConflict, "", "migrate-env", "--env-file", "other.env")
	w.clean(exitOK, "", "migrate-env", "--env-file", "other.env", "--overwrite", "--vault-file", "migrated.vault")
}

// examine looks into values of every form that is looked into.
func (w *scanWorld) examine() {
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"jti":"` + w.canary("CLAIMS") + `","exp":1000000000}`))
	w.clean(exitOK, "eyJhbGciOiJIUzI1NiJ9."+claims+"."+w.canary("SIGNATURE"), "add", "EXAMINED_JWT")
	pem := "-----BEGIN PRIVATE KEY-----\n" + w.canary("PEM_KEY") + "\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"
	w.clean(exitOK, pem, "add", "EXAMINED_PEM")
	w.clean(exitOK, "postgres://app:"+w.canary("URL")+"@db/app", "add", "EXAMINED_URL")
	w.clean(anyCode, "", "doctor", "--older-than", "0s") // whose code depends on the host of the tests
	w.clean(anyCode, "", "doctor", "--json")
}

func (w *scanWorld) rotateKeys() {
	w.clean(exitOK, "", "init", "--key-file", "second.key")
	w.clean(exitOK, "", "rotate-key", "--new-key-file", "second.key")
	w.copyFile("secrets.vault", "before.vault")
	w.clean(exitOK, "", "rotate-key", "--in-place", "--keep-old-key", "--key-file", "second.key")
	w.clean(exitOK, "", "diff", "before.vault", "--key-file", "second.key", "--key-file", "second.key.old")
}

// backUp makes backups, and puts them back under the same key and another one.
func (w *scanWorld) backUp() {
	for _, name := range []string{"backups", "keys"} {
		path := filepath.Join(w.dir, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			w.t.Fatal(err)
		}
		if err := os.Chown(path, w.user, w.user); err != nil {
			w.t.Fatal(err)
		}
	}
	w.clean(exitOK, "", "backup", "--to", "backups", "--with-key-to", "keys")
	w.clean(exitOK, "", "backup", "--to", "backups", "--with-key-to", "keys", "--skip-unchanged")
	w.clean(exitOK, w.canary("AFTER"), "add", "--name", "AFTER")
	w.clean(exitOK, "", "backup", "--to", "backups", "--keep", "1")
	w.clean(exitOK, "", "rotate-key", "--in-place")
	made, err := filepath.Glob(filepath.Join(w.dir, "backups", "*"))
	if err != nil || len(made) != 1 {
		w.t.Fatalf("the backups are %q (%v)", made, err)
	}
	w.clean(exitCannotOpen, "", "restore", made[0])
	w.clean(exitOK, w.canary("LATER"), "add", "--name", "LATER")
	w.clean(exitOK, "", "restore", made[0], "--key-file", "vault.key", "--key-file", "vault.key.old")
	w.clean(exitOK, "", "restore", "secrets.vault.bak")
	w.clean(exitOK, "", "restore", "secrets.vault.bak")
}

func (w *scanWorld) failToOpen() {
	w.clean(exitOK, "", "init", "--key-file", "third.key")
	w.learnWrongKey("secrets.vault")
	w.clean(exitCannotOpen, "", "list", "--key-file", "third.key")
	w.clean(exitOK, "", "inspect", "--key-file", "third.key")
	w.clean(anyCode, "", "doctor", "--key-file", "third.key")
	w.clean(exitCannotOpen, "", "rotate-key", "--in-place", "--key-file", "third.key")
	w.clean(exitCannotOpen, w.canary("ADDED"), "add", "--name", "ADDED", "--key-file", "third.key")
	w.file("open.key", w.canary("OPEN_KEY")+"\n", 0o644)
	w.clean(exitInsecure, "", "list", "--key-file", "open.key")
}

// TestScanSeesAnOpenVault finds the values while a command works on them, and nothing else.
func TestScanSeesAnOpenVault(t *testing.T) {
	w := newScanWorld(t, buildForScan(t, "runtimesecret"), scanOptions{})
	w.clean(exitOK, "", "init")
	w.clean(exitOK, `{"VALUE": "`+w.canary("VALUE")+`"}`, "encrypt")
	s := w.start("open", "", "list")
	found := s.scan(t, w.needles)
	s.finish(t)
	if len(found["the value of VALUE"]) == 0 {
		t.Error("the value was not found while the vault was open")
	}
	for label, places := range found {
		if label != "the value of VALUE" {
			t.Errorf("an open vault leaves %s in memory: %v", label, places)
		}
	}
}

// TestScanSeesALeak finds everything in a process that derives a key without care.
func TestScanSeesALeak(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, for which -short is, sees nothing here that it does not see elsewhere")
	}
	if os.Getuid() != 0 {
		t.Skip("needs root like the scan that this test proves")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	passphrase, salt := []byte("a passphrase that stays in memory"), []byte("0123456789abcdef")
	d := deriveStepwise(passphrase, salt)
	n := newNeedles()
	expected := map[string][]byte{"passphrase": passphrase, "key": d.key, "pre-hash": d.preHash, "last block": d.lastBlock}
	for label, secret := range expected {
		n.add(label, secret)
	}
	cmd := exec.Command(self, "-test.run=^TestLeakyProcess$")
	cmd.Env = append(os.Environ(), "MEMSCAN_LEAK=yes")
	cmd.Stdin = strings.NewReader(string(salt) + string(passphrase))
	s := startScannable(t, cmd, "leak")
	found := s.scan(t, n)
	s.finish(t)
	for label := range expected {
		if len(found[label]) == 0 {
			t.Errorf("the scan did not find the %s", label)
		}
	}
}

// TestLeakyProcess is the process that TestScanSeesALeak scans.
func TestLeakyProcess(t *testing.T) {
	if os.Getenv("MEMSCAN_LEAK") == "" {
		t.Skip("runs as a process of TestScanSeesALeak only")
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		t.Fatal(err)
	}
	const saltBytes = 16
	d := deriveStepwise(input[saltBytes:], input[:saltBytes])
	if _, err := os.NewFile(3, "memscan-out").WriteString("leak\n"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadFull(os.NewFile(4, "memscan-in"), make([]byte, 1))
	runtime.KeepAlive(d)
	runtime.KeepAlive(input)
}
