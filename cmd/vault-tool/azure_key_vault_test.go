package main

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/fakeazure"
)

// The keys in the fake Key Vault, as init writes them.
const (
	azureTestURL    = "https://clitest.vault.azure.net"
	azureTestKey    = "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592\n"
	azureTestNewKey = "9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015\n"
)

// azureCLI runs vault-tool against a fake Azure in a folder of its own.
type azureCLI struct {
	t     *testing.T
	tool  string
	azure *fakeazure.Azure
	dir   string
	env   []string
}

func newAzureCLI(t *testing.T) *azureCLI {
	t.Helper()
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("the system's trust store cannot be replaced through SSL_CERT_FILE here")
	}
	azure := fakeazure.Start(t, strings.TrimPrefix(azureTestURL, "https://"))
	azure.Put("mazevault-vault-key", fakeazure.Secret{Value: azureTestKey})
	azure.Put("next-key", fakeazure.Secret{Value: azureTestNewKey})
	return &azureCLI{t, installBoth(t, builtQuickTool), azure, t.TempDir(), azure.Env()}
}

// run runs a command line and checks the exit code; what it wrote may contain no key and no token.
func (c *azureCLI) run(code int, stdin string, env []string, args ...string) (stdout, stderr string) {
	c.t.Helper()
	cmd := exec.Command(c.tool, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = c.dir, append(c.env, env...), strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		c.t.Fatalf("vault-tool %q: exit code %d, want %d\n%s%s", args, got, code, &out, &errs)
	}
	for _, canary := range c.azure.Canaries() {
		if canary = strings.TrimSpace(canary); strings.Contains(out.String()+errs.String(), canary) {
			c.t.Errorf("vault-tool %q gives away %q:\n%s%s", args, canary, &out, &errs)
		}
	}
	return out.String(), errs.String()
}

func (c *azureCLI) keyFile(name, key string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(key), 0o400); err != nil {
		c.t.Fatal(err)
	}
}

// TestAzureKeyVault goes through the product document's deployment mode "Azure (Key Vault Passphrase)".
func TestAzureKeyVault(t *testing.T) {
	t.Parallel()
	c := newAzureCLI(t)
	byEnv := []string{"MAZEVAULT_VAULT_AKV_URL=" + azureTestURL}
	c.run(0, `{"A":"value of a"}`, byEnv, "encrypt")
	c.run(0, "value of b\n", nil, "add", "--name", "B", "--akv-url", azureTestURL)
	if out, _ := c.run(0, "", byEnv, "get", "B"); out != "value of b" {
		t.Errorf("got %q", out)
	}

	// The same key in a file opens it, and a key file given explicitly comes first.
	c.keyFile("vault.key", azureTestKey)
	c.keyFile("other.key", azureTestNewKey)
	if out, _ := c.run(0, "", []string{"MAZEVAULT_VAULT_AKV_URL=https://nosuch.vault.azure.net"}, "list", "--key-file", "vault.key"); out != "A\nB\n" {
		t.Errorf("got %q", out)
	}
	// One in the environment comes last.
	c.run(0, "", append(byEnv, "MAZEVAULT_VAULT_KEY_FILE=other.key"), "list")

	c.run(exitCannotOpen, "", byEnv, "list", "--akv-secret", "next-key")
	c.run(exitCannotOpen, "", append(byEnv, "MAZEVAULT_VAULT_AKV_SECRET=next-key"), "list")
}

func TestAzureKeyVaultRotation(t *testing.T) {
	t.Parallel()
	c := newAzureCLI(t)
	byEnv := []string{"MAZEVAULT_VAULT_AKV_URL=" + azureTestURL}
	c.run(0, `{"A":"value of a"}`, byEnv, "encrypt")

	_, stderr := c.run(exitUsage, "", byEnv, "rotate-key", "--in-place")
	if !strings.Contains(stderr, "--new-akv-secret") {
		t.Errorf("no hint in %q", stderr)
	}
	out, _ := c.run(0, "", byEnv, "rotate-key", "--new-akv-secret", "next-key", "--json")
	if want := azureTestURL + "/secrets/next-key"; !strings.Contains(out, want) {
		t.Errorf("%q does not name %s", out, want)
	}
	c.run(0, "", byEnv, "list", "--akv-secret", "next-key")
	c.run(exitCannotOpen, "", byEnv, "list")

	// From there to a file, and from the file back.
	c.keyFile("vault.key", strings.Repeat("k", 40))
	c.run(0, "", byEnv, "rotate-key", "--akv-secret", "next-key", "--new-key-file", "vault.key")
	c.run(0, "", nil, "list")
	c.run(0, "", byEnv, "rotate-key", "--key-file", "vault.key", "--new-akv-secret", "next-key")
	c.run(0, "", byEnv, "list", "--akv-secret", "next-key")

	c.run(exitUsage, "", nil, "rotate-key", "--new-akv-secret", "next-key")
}

// TestAzureKeyVaultVersions: a new version of the secret does not stop what starts before the vault is under it.
func TestAzureKeyVaultVersions(t *testing.T) {
	t.Parallel()
	c := newAzureCLI(t)
	byEnv := []string{"MAZEVAULT_VAULT_AKV_URL=" + azureTestURL}
	c.run(0, `{"A":"value of a"}`, byEnv, "encrypt")
	c.azure.Put("mazevault-vault-key", fakeazure.Secret{Value: azureTestNewKey})
	for _, args := range [][]string{{"get", "A"}, {"list", "--quiet"}} {
		_, stderr := c.run(0, "", byEnv, args...)
		if !strings.Contains(stderr, "warning") || !strings.Contains(stderr, azureTestURL+"/secrets/mazevault-vault-key/") {
			t.Errorf("%q says: %q", args, stderr)
		}
	}
	c.run(0, "value of b\n", byEnv, "add", "B")
	c.run(0, "", byEnv, "rotate-key", "--new-akv-secret", "mazevault-vault-key")
	out, stderr := c.run(0, "", byEnv, "list")
	if out != "A\nB\n" || stderr != "" {
		t.Errorf("after the rotation: %q, %q", out, stderr)
	}
	c.azure.Put("mazevault-vault-key", fakeazure.Secret{Value: azureTestKey})
	c.azure.Disable("mazevault-vault-key", 1)
	c.run(exitCannotOpen, "", byEnv, "list")
}

func TestAzureKeyVaultErrors(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, for which -short is, sees nothing here that it does not see elsewhere")
	}
	t.Parallel()
	c := newAzureCLI(t)
	c.keyFile("vault.key", azureTestKey)
	c.run(0, `{"A":"value of a"}`, nil, "encrypt")
	forbidden := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "" {
			return false // the challenge first
		}
		fakeazure.Fail(w, http.StatusForbidden, "Forbidden", "ForbiddenByRbac")
		return true
	}
	tests := []struct {
		args   []string
		env    []string
		faults fakeazure.Faults
		code   int
		says   string
	}{
		{args: []string{"--akv-url", azureTestURL}, faults: fakeazure.Faults{Vault: forbidden}, code: exitFailed, says: `grant the identity the role "Key Vault Secrets User"`},
		{args: []string{"--akv-url", azureTestURL}, faults: fakeazure.Faults{Certificate: fakeazure.CertificateUnknownAuthority}, code: exitFailed, says: "certificate is not trusted"},
		{args: []string{"--akv-url", "https://no-such.vault.azure.net"}, code: exitFailed, says: "the name may be wrong"},
		{args: []string{"--akv-url", "http://clitest.vault.azure.net"}, code: exitUsage, says: "MAZEVAULT_VAULT_AKV_URL"},
		{args: []string{"--akv-url", ""}, code: exitUsage, says: "--akv-url is empty"},
		{args: []string{"--akv-url", azureTestURL, "--akv-secret", "a/b"}, code: exitUsage, says: "--akv-secret"},
		{args: []string{"--akv-url", azureTestURL, "--akv-secret", "missing"}, code: exitNotFound, says: "/secrets/missing: secret not found"},
		{args: []string{"--akv-url", azureTestURL}, env: []string{"IDENTITY_ENDPOINT=http://127.0.0.1:1"}, code: exitFailed, says: "identity endpoint cannot be reached"},
		{args: []string{"--akv-url", azureTestURL}, env: []string{"AZURE_FEDERATED_TOKEN_FILE=/no/such"}, code: exitUsage, says: "AZURE_TENANT_ID"},
	}
	for _, tt := range tests {
		c.azure.Break(tt.faults)
		_, stderr := c.run(tt.code, "", tt.env, append([]string{"list"}, tt.args...)...)
		if !strings.Contains(stderr, tt.says) {
			t.Errorf("%q: %q does not say %q", tt.args, stderr, tt.says)
		}
	}
}

// TestAzureKeyVaultInterrupted: who waits for a Key Vault that hangs need not wait for its time to be over.
func TestAzureKeyVaultInterrupted(t *testing.T) {
	t.Parallel()
	c := newAzureCLI(t)
	c.keyFile("vault.key", azureTestKey)
	c.run(0, `{"A":"value of a"}`, nil, "encrypt")
	asked := make(chan struct{}, 1)
	c.azure.Break(fakeazure.Faults{Vault: func(w http.ResponseWriter, r *http.Request) bool {
		asked <- struct{}{}
		return fakeazure.Hang(w, r)
	}})
	cmd := exec.Command(c.tool, "list", "--akv-url", azureTestURL)
	var errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = c.dir, c.env, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	start := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code is looked at below
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || errs.String() != "vault-tool: error: interrupted\n" {
		t.Errorf("exit code %d, want %d; stderr %q", code, exitInterrupted, &errs)
	}
	if took := time.Since(start); took > interruptGrace {
		t.Errorf("it took %s to end", took)
	}
}
