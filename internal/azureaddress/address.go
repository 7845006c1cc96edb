// Package azureaddress reads addresses of secrets in Azure Key Vault. It links no SDK, so that a program can check
// and name an address that another one is going to ask.
package azureaddress

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// DefaultSecret is the secret that holds a vault's passphrase where no other is named.
const DefaultSecret = "mazevault-vault-key"

// Errors of [Parse].
var (
	// ErrVaultURL: the address is not one of an Azure Key Vault.
	ErrVaultURL = errors.New("not the address of an Azure Key Vault")

	// ErrSecretName: Key Vault allows no secret of that name.
	ErrSecretName = errors.New("not a name of an Azure Key Vault secret")
)

// Cloud is the one whose Microsoft Entra issues tokens for a vault.
type Cloud int

// The clouds that there are.
const (
	Public Cloud = iota
	China
	Government
)

// clouds are the domains of vaults.
var clouds = []struct {
	domain string
	cloud  Cloud
}{
	{".vault.azure.net", Public},
	{".vault.azure.cn", China},
	{".vault.usgovcloudapi.net", Government},
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

// Address is where a secret is.
type Address struct {
	Vault  string // "https://NAME.vault.azure.net", no slash at the end
	Secret string
	Cloud  Cloud
}

// String returns "https://NAME.vault.azure.net/secrets/SECRET".
func (a Address) String() string { return a.Vault + "/secrets/" + a.Secret }

// Parse checks both parts. An empty secret is [DefaultSecret]. Errors wrap [ErrVaultURL] or [ErrSecretName], and do
// not repeat an address that may hold a password.
func Parse(vaultURL, secret string) (Address, error) {
	if secret == "" {
		secret = DefaultSecret
	}
	if !isSecretName(secret) {
		return Address{}, fmt.Errorf("%w: it has 1 to 127 letters, digits and hyphens", ErrSecretName)
	}
	u, err := url.Parse(vaultURL)
	switch {
	case err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return Address{}, fmt.Errorf("%w: want https://NAME.vault.azure.net and nothing more", ErrVaultURL)
	case u.Scheme != "https":
		return Address{}, fmt.Errorf("%w: it does not begin with https://", ErrVaultURL)
	case u.Path != "" && u.Path != "/":
		return Address{}, fmt.Errorf("%w: want https://%s without a path; the secret is named apart", ErrVaultURL, u.Host)
	case u.Port() != "" && u.Port() != "443":
		return Address{}, fmt.Errorf("%w: %s has a port", ErrVaultURL, u.Host)
	}
	return addressOf(strings.ToLower(u.Hostname()), secret)
}

func addressOf(host, secret string) (Address, error) {
	for _, c := range clouds {
		name, ok := strings.CutSuffix(host, c.domain)
		if !ok {
			continue
		}
		if !isVaultName(name) {
			return Address{}, fmt.Errorf("%w: vault name wrong: %q does not have 3 to 24 letters, digits and single hyphens, a letter first and no hyphen last",
				ErrVaultURL, name)
		}
		return Address{Vault: "https://" + host, Secret: secret, Cloud: c.cloud}, nil
	}
	for _, domain := range hsmDomains {
		if strings.HasSuffix(host, domain) {
			return Address{}, fmt.Errorf("%w: %s is a managed HSM, which holds no secrets", ErrVaultURL, host)
		}
	}
	return Address{}, fmt.Errorf("%w: %q is not in a domain of Key Vault (vault.azure.net, vault.azure.cn, vault.usgovcloudapi.net)",
		ErrVaultURL, host)
}
