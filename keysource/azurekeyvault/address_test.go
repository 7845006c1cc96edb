package azurekeyvault_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/keysource/azurekeyvault"
)

func TestNew(t *testing.T) {
	t.Parallel()
	const password = "CANARY-PASSWORD"
	tests := []struct {
		url, secret string
		want        string // the source's name, or
		err         error
		says        string
	}{
		{url: "https://myvault.vault.azure.net", want: "https://myvault.vault.azure.net/secrets/mazevault-vault-key"},
		{url: "https://MyVault.vault.azure.net/", want: "https://myvault.vault.azure.net/secrets/mazevault-vault-key"},
		{url: "https://myvault.vault.azure.net:443", want: "https://myvault.vault.azure.net/secrets/mazevault-vault-key"},
		{url: "https://a-b-1.vault.azure.cn", secret: "Key-2", want: "https://a-b-1.vault.azure.cn/secrets/Key-2"},
		{url: "https://myvault.vault.usgovcloudapi.net", secret: "k", want: "https://myvault.vault.usgovcloudapi.net/secrets/k"},

		{url: "", err: azurekeyvault.ErrVaultURL, says: "https://"},
		{url: "myvault", err: azurekeyvault.ErrVaultURL, says: "https://"},
		{url: "http://myvault.vault.azure.net", err: azurekeyvault.ErrVaultURL, says: "https://"},
		{url: "https://user:" + password + "@myvault.vault.azure.net", err: azurekeyvault.ErrVaultURL},
		{url: "https://myvault.vault.azure.net?sig=" + password, err: azurekeyvault.ErrVaultURL},
		{url: "https://myvault.vault.azure.net#" + password, err: azurekeyvault.ErrVaultURL},
		{url: "https://" + password + "\x00.vault.azure.net", err: azurekeyvault.ErrVaultURL},
		{url: "https://myvault.vault.azure.net/secrets/key", err: azurekeyvault.ErrVaultURL, says: "without a path"},
		{url: "https://myvault.vault.azure.net:8443", err: azurekeyvault.ErrVaultURL, says: "port"},
		{url: "https://vault.azure.net", err: azurekeyvault.ErrVaultURL, says: "domain of Key Vault"},
		{url: "https://.vault.azure.net", err: azurekeyvault.ErrVaultURL, says: "vault name wrong"},
		{url: "https://ab.vault.azure.net", err: azurekeyvault.ErrVaultURL, says: "vault name wrong"},
		{url: "https://1abc.vault.azure.net", err: azurekeyvault.ErrVaultURL, says: "vault name wrong"},
		{url: "https://a--b.vault.azure.net", err: azurekeyvault.ErrVaultURL, says: "vault name wrong"},
		{url: "https://a.b.vault.azure.net", err: azurekeyvault.ErrVaultURL, says: "vault name wrong"},
		{url: "https://a23456789012345678901234x.vault.azure.net", err: azurekeyvault.ErrVaultURL, says: "vault name wrong"},
		{url: "https://myvault.vault.azure.net.evil.example", err: azurekeyvault.ErrVaultURL, says: "domain of Key Vault"},
		{url: "https://myvaultvault.azure.net", err: azurekeyvault.ErrVaultURL, says: "domain of Key Vault"},
		{url: "https://myhsm.managedhsm.azure.net", err: azurekeyvault.ErrVaultURL, says: "managed HSM"},
		{url: "https://myvault.vault.azure.net", secret: "a/b", err: azurekeyvault.ErrSecretName},
		{url: "https://myvault.vault.azure.net", secret: "a_b", err: azurekeyvault.ErrSecretName},
		{url: "https://myvault.vault.azure.net", secret: strings.Repeat("a", 128), err: azurekeyvault.ErrSecretName},
	}
	for _, tt := range tests {
		source, err := azurekeyvault.New(tt.url, tt.secret)
		if tt.err != nil {
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q: error %v, want %v saying %q", tt.url, err, tt.err, tt.says)
			}
			if err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("the error repeats what may be a password: %v", err)
			}
			continue
		}
		if err != nil || source.String() != tt.want {
			t.Errorf("%q: got %v, error %v, want %s", tt.url, source, err, tt.want)
		}
	}
}

func TestEnvironmentIsInjected(t *testing.T) {
	t.Parallel()
	source, err := azurekeyvault.New(testURL, "", azurekeyvault.WithEnvironment(func(name string) string {
		return map[string]string{"AZURE_FEDERATED_TOKEN_FILE": "/no/such/file"}[name]
	}))
	if err != nil {
		t.Fatal(err)
	}
	err = source.Passphrase(context.Background(), func([]byte) error { return nil })
	if !errors.Is(err, azurekeyvault.ErrIdentityConfig) || !strings.Contains(err.Error(), "AZURE_TENANT_ID and AZURE_CLIENT_ID") {
		t.Errorf("error %v", err)
	}
}

func TestCancelledBefore(t *testing.T) {
	t.Parallel()
	source, err := azurekeyvault.New(testURL, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := source.Passphrase(ctx, func([]byte) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
