// Package azurekeyvault reads a vault's passphrase from a secret in Azure Key Vault, so that no key
// file needs to lie on the host.
//
//	source, err := azurekeyvault.New("https://myvault.vault.azure.net", "")
//	u := vaultfile.NewUnlocker(source)
//
// It is built on the official azsecrets and azidentity, and a program links them only if it imports
// this package. The newest version of the secret is read; where it does not open the vault at the start of a
// process, the version directly before serves as its successor ([Source.Successor]). The identity needs the
// role [Role], or in a vault with access policies the secret permissions Get and, for that, List.
//
// # Which identity
//
// One is chosen from the environment, and used or failed with; there is no chain, and no developer's
// login is tried:
//
//   - AZURE_FEDERATED_TOKEN_FILE is set: workload identity (AKS), which also needs AZURE_TENANT_ID and
//     AZURE_CLIENT_ID. Microsoft Entra of the cloud that the vault is in gives the token. The file is a
//     regular one of at most 64 KiB.
//   - otherwise the managed identity of the host, user-assigned if AZURE_CLIENT_ID is set and
//     system-assigned if not. azidentity finds its endpoint: IDENTITY_ENDPOINT and its companions on
//     App Service, Container Apps, Functions, Arc and Service Fabric, otherwise the instance metadata
//     service of a virtual machine.
//
// The vault and Microsoft Entra are reached through the proxy of HTTPS_PROXY and NO_PROXY; a managed
// identity's endpoint never is.
//
// # What is in the secret
//
// The text of the secret, less one trailing newline, as [keysource.Passphrase] reads every source.
// A key file goes there with
//
//	az keyvault secret set --vault-name myvault --name mazevault-vault-key --file vault.key --encoding base64
//
// which stores base64 and says so in the tag file-encoding. The tags base64 and hex are honoured: the
// content is decoded first. utf-16le and utf-16be are refused, since the text is no longer the bytes
// of the file; any other tag, or none, means text. A secret that has expired or is not valid yet is
// refused, though Key Vault itself would give it.
//
// # Time
//
// A reading takes at most [Timeout], whatever hangs. Errors of the network, throttling (with its
// Retry-After) and server errors are tried again three times as far as that fits.
//
// # Errors
//
// An [Error] says which step failed and what to do; the sentinels are for branching. The SDK's errors
// quote whole responses, so nothing of their text is passed on: only the HTTP status and the service's
// short code.
//
// # Memory
//
// The passphrase reaches the caller in locked memory. The SDK, however, handles it as ordinary Go
// strings and slices. Built with runtime/secret (see internal/erase) these are erased when Passphrase
// returns, and the buffers of the connection are overwritten in every build; what may be left is up
// to 16 bytes in a read buffer of net/http, and with a proxy that is itself reached over TLS the
// record buffers of the inner connection. Without runtime/secret a few copies can stay until the
// collector reuses their memory. The access token is not covered: azidentity keeps the one of a
// managed identity in memory for as long as the process lives, to use it again.
package azurekeyvault
