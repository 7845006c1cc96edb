package azurekeyvault

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/mazevault/vault-tool/internal/azureaddress"
)

// DefaultSecretName is the secret that holds the passphrase where no other is named.
const DefaultSecretName = azureaddress.DefaultSecret

// Errors of [New].
var (
	// ErrVaultURL: the address is not one of an Azure Key Vault.
	ErrVaultURL = azureaddress.ErrVaultURL

	// ErrSecretName: Key Vault allows no secret of that name.
	ErrSecretName = azureaddress.ErrSecretName
)

// cloudOf is the SDK's configuration for the cloud that a vault is in.
func cloudOf(a azureaddress.Address) cloud.Configuration {
	switch a.Cloud {
	case azureaddress.China:
		return cloud.AzureChina
	case azureaddress.Government:
		return cloud.AzureGovernment
	}
	return cloud.AzurePublic
}
