package main

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/fakeazure"
	"github.com/mazevault/vault-tool/provider"
)

// TestAzure is the product document's deployment mode "Azure (Key Vault Passphrase)": the three variables
// as they stand there, in the .env that is loaded first, and the real client of Key Vault. A key file that
// is configured too, and is none, shows that Key Vault comes before it.
func TestAzure(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("the system's trust store cannot be replaced through SSL_CERT_FILE here")
	}
	azure := fakeazure.Start(t, "myvault.vault.azure.net")
	d := deploy(t, map[string]string{masterKey: "master-1", dbConnection: "postgres://secret-1", redisURL: "redis://secret-2"})
	putKey := func() {
		t.Helper()
		key, err := os.ReadFile(d.key)
		if err != nil {
			t.Fatal(err)
		}
		azure.Put(provider.DefaultAzureSecret, fakeazure.Secret{Value: string(key)})
	}
	putKey()
	program := build(t)
	env := append(azure.Env(), provider.EnvKeyFile+"=/nowhere/vault.key")
	cmd := command(t, program, env...)
	dotenv := provider.EnvVaultFile + "=" + d.vault + "\n" + provider.EnvAzureURL + "=https://myvault.vault.azure.net\n" +
		provider.EnvAzureSecret + "=mazevault-vault-key     # optional, default name\n"
	writeDotenv := func(dir string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(dotenv), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeDotenv(cmd.Dir)
	s := start(t, cmd)
	if code, text, h := s.health(t); code != http.StatusOK || h.Mode != "vault" || h.Generation != 1 || h.Secrets[masterKey] != "vault" {
		t.Errorf("health %d %s", code, text)
	}

	// An update under the same key asks nothing of Key Vault; a rotation does, and is followed.
	asked := len(azure.Requests())
	d.change(t, map[string]string{redisURL: "redis://secret-3"})
	s.eventually(t, "the update is followed", func(_ int, h health) bool { return h.Generation == 2 && h.Status == "ok" })
	if n := len(azure.Requests()); n != asked {
		t.Errorf("%d requests to Azure for an update", n-asked)
	}
	d.rotate(t)
	putKey()
	s.eventually(t, "the rotation is followed", func(_ int, h health) bool { return h.Generation == 3 && h.Status == "ok" })
	s.stop(t, append(trimmed(azure.Canaries()), "master-1", "secret-1", "secret-2", "secret-3")...)

	// Where Key Vault does not give the key there is no service, and the message says which step failed.
	azure.Break(fakeazure.Faults{Vault: func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "" {
			return false // the challenge
		}
		fakeazure.Fail(w, http.StatusForbidden, "Forbidden", "ForbiddenByRbac")
		return true
	}})
	cmd = command(t, program, env...)
	writeDotenv(cmd.Dir)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Key Vault Secrets User") {
		t.Errorf("without access: %v\n%s", err, out)
	}
	for _, canary := range trimmed(azure.Canaries()) {
		if strings.Contains(string(out), canary) {
			t.Errorf("it told %q", canary)
		}
	}
}

func trimmed(texts []string) []string {
	result := make([]string, 0, len(texts))
	for _, text := range texts {
		result = append(result, strings.TrimSpace(text))
	}
	return result
}
