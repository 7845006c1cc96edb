package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/azureaddress"
	"github.com/mazevault/vault-tool/internal/azurekey"
	"github.com/mazevault/vault-tool/internal/exchange"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// Names of the environment variables for a key in Azure Key Vault.
const (
	azureURLEnv    = "MAZEVAULT_VAULT_AKV_URL"
	azureSecretEnv = "MAZEVAULT_VAULT_AKV_SECRET"
)

// azureOptions are the flags for the key of the vault.
type azureOptions struct{ url, secret string }

func (o *azureOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&o.url, "akv-url", "", "take the key from the Azure Key Vault at `URL`")
	flags.StringVar(&o.secret, "akv-secret", "", "the `NAME` of the secret there")
	_ = cmd.RegisterFlagCompletionFunc("akv-url", cobra.NoFileCompletions) // fails only for a flag that does not exist
	_ = cmd.RegisterFlagCompletionFunc("akv-secret", cobra.NoFileCompletions)
}

// azureURL is the Key Vault that holds the key, or "" where a key file does. A key file that is given
// explicitly comes first; that of the environment comes last, as in the start-up sequence of a service.
func (a *app) azureURL() string {
	if a.keyFlag != "" {
		return ""
	}
	return firstSet(a.azure.url, a.getenv(azureURLEnv))
}

func (a *app) azureSecret() string { return firstSet(a.azure.secret, a.getenv(azureSecretEnv)) }

// vaultKey is the source of a passphrase, to be closed.
type vaultKey interface {
	vaultfile.PassphraseSource
	Close()
}

// askTogether has keys that are both in Azure Key Vault fetched at once.
func askTogether(keys ...vaultKey) {
	var sources []*azurekey.Source
	for _, key := range keys {
		if key, ok := key.(azureKey); ok {
			sources = append(sources, key.Source)
		}
	}
	if len(sources) > 1 {
		azurekey.Together(sources...)
	}
}

// vaultKey returns the source of the key of the command line.
func (a *app) vaultKey() (vaultKey, error) {
	if url := a.azureURL(); url != "" {
		return a.azureKey(url, a.azureSecret())
	}
	if a.azure.secret != "" && a.keyFlag == "" {
		return nil, badInput("give --akv-url or set "+azureURLEnv, "--akv-secret is given, but no Azure Key Vault")
	}
	return a.keyFile(a.keyPath()), nil
}

// keyName says where the key of the command line is.
func (a *app) keyName() string {
	if url := a.azureURL(); url != "" {
		return azureName(url, a.azureSecret())
	}
	return a.keyPath()
}

func azureName(url, secret string) string {
	address, err := azureaddress.Parse(url, secret)
	if err != nil {
		return "Azure Key Vault"
	}
	return address.String()
}

// azureKey is a key in Azure Key Vault that warns once when its passphrase is short.
type azureKey struct {
	*azurekey.Source
	a *app
}

func (a *app) azureKey(url, secret string) (vaultKey, error) {
	source, err := a.openAzure(url, secret)
	if err != nil {
		return nil, err
	}
	return azureKey{source, a}, nil
}

func (a *app) openAzure(url, secret string) (*azurekey.Source, error) {
	return azurekey.New(url, secret, a.netProgram())
}

func (k azureKey) Passphrase(ctx context.Context, use func([]byte) error) error {
	return k.Source.Passphrase(ctx, func(passphrase []byte) error {
		k.a.warnIfShort(k.String(), passphrase)
		return use(passphrase)
	})
}

// azureForProvider is openAzure in the form in which provider.Config takes it.
func (a *app) azureForProvider(url, secret string) (keysource.Source, error) {
	return a.openAzure(url, secret)
}

// azureOutcomes are the exit codes, kinds and hints of what vault-tool-net answers about a key in Azure Key Vault. What to
// do about each stands in its own text, which a service shows as well.
var azureOutcomes = []outcomeOf{
	{azureaddress.ErrVaultURL, exitUsage, "usage", "check --akv-url and " + azureURLEnv},
	{azureaddress.ErrSecretName, exitUsage, "usage", "check --akv-secret and " + azureSecretEnv},
	{exchange.IdentityConfig, exitUsage, "usage", ""},
	{exchange.StoreNotFound, exitNotFound, "key_not_found", "check --akv-url and " + azureURLEnv},
	{exchange.SecretNotFound, exitNotFound, "key_not_found", "check --akv-secret, --new-akv-secret and " + azureSecretEnv},
	{exchange.Encoding, exitUsage, "bad_key", ""},
	{exchange.IdentityUnreachable, exitFailed, "key_unreadable", "a managed identity is there only on a host in Azure (or with Azure Arc); elsewhere use --key-file"},
}
