package azurekeyvault

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// DefaultSecretName is the secret that holds the passphrase where no other is named.
const DefaultSecretName = "mazevault-vault-key"

// Errors of [New].
var (
	// ErrVaultURL: the address is not one of an Azure Key Vault.
	ErrVaultURL = errors.New("not the address of an Azure Key Vault")

	// ErrSecretName: Key Vault allows no secret of that name.
	ErrSecretName = errors.New("not a name of an Azure Key Vault secret")
)

// clouds are the domains of vaults and the cloud whose Microsoft Entra issues tokens for them.
var clouds = []struct {
	domain string
	cloud  cloud.Configuration
}{
	{".vault.azure.net", cloud.AzurePublic},
	{".vault.azure.cn", cloud.AzureChina},
	{".vault.usgovcloudapi.net", cloud.AzureGovernment},
}

// hsmDomains are those of managed HSMs, which hold keys and no secrets.
var hsmDomains = []string{".managedhsm.azure.net", ".managedhsm.azure.cn", ".managedhsm.usgovcloudapi.net"}

// Key Vault's rules for the length of names.
const (
	minVaultNameBytes  = 3
	maxVaultNameBytes  = 24
	maxSecretNameBytes = 127
)

func isLetter(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c rune) bool  { return '0' <= c && c <= '9' }

// onlyNameCharacters tells whether name has nothing but ASCII letters, digits and hyphens.
func onlyNameCharacters(name string) bool {
	return !strings.ContainsFunc(name, func(c rune) bool { return !isLetter(c) && !isDigit(c) && c != '-' })
}

func isVaultName(name string) bool {
	return len(name) >= minVaultNameBytes && len(name) <= maxVaultNameBytes && onlyNameCharacters(name) &&
		isLetter(rune(name[0])) && !strings.HasSuffix(name, "-") && !strings.Contains(name, "--")
}

func isSecretName(name string) bool {
	return name != "" && len(name) <= maxSecretNameBytes && onlyNameCharacters(name)
}

// address is where a secret is.
type address struct {
	vault  string // "https://NAME.vault.azure.net", no slash at the end
	secret string
	cloud  cloud.Configuration
}

func (a address) String() string { return a.vault + "/secrets/" + a.secret }

// parseAddress checks both parts. Its errors do not repeat an address that may hold a password.
func parseAddress(vaultURL, secretName string) (address, error) {
	if !isSecretName(secretName) {
		return address{}, fmt.Errorf("%w: it has 1 to 127 letters, digits and hyphens", ErrSecretName)
	}
	u, err := url.Parse(vaultURL)
	switch {
	case err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return address{}, fmt.Errorf("%w: want https://NAME.vault.azure.net and nothing more", ErrVaultURL)
	case u.Scheme != "https":
		return address{}, fmt.Errorf("%w: it does not begin with https://", ErrVaultURL)
	case u.Path != "" && u.Path != "/":
		return address{}, fmt.Errorf("%w: want https://%s without a path; the secret is named apart", ErrVaultURL, u.Host)
	case u.Port() != "" && u.Port() != "443":
		return address{}, fmt.Errorf("%w: %s has a port", ErrVaultURL, u.Host)
	}
	return addressOf(strings.ToLower(u.Hostname()), secretName)
}

func addressOf(host, secretName string) (address, error) {
	for _, c := range clouds {
		name, ok := strings.CutSuffix(host, c.domain)
		if !ok {
			continue
		}
		if !isVaultName(name) {
			return address{}, fmt.Errorf("%w: vault name wrong: %q does not have 3 to 24 letters, digits and single hyphens, a letter first and no hyphen last",
				ErrVaultURL, name)
		}
		return address{vault: "https://" + host, secret: secretName, cloud: c.cloud}, nil
	}
	for _, domain := range hsmDomains {
		if strings.HasSuffix(host, domain) {
			return address{}, fmt.Errorf("%w: %s is a managed HSM, which holds no secrets", ErrVaultURL, host)
		}
	}
	return address{}, fmt.Errorf("%w: %q is not in a domain of Key Vault (vault.azure.net, vault.azure.cn, vault.usgovcloudapi.net)",
		ErrVaultURL, host)
}
