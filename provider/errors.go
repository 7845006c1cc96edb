package provider

import (
	"errors"
	"strconv"
	"strings"

	"github.com/mazevault/vault-tool/vaultfile"
)

// Errors to branch on with errors.Is. Those of opening a vault are vaultfile's and keysource's, wrapped.
var (
	// ErrClosed: the provider has been closed, or a [View] was used after its callback.
	ErrClosed = errors.New("provider: closed")

	// ErrNotFound: a secret is in neither the vault nor the environment. A [MissingError] matches too.
	ErrNotFound = errors.New("provider: secret is in neither the vault nor the environment")

	// ErrNoPrevious: no value from before the last change of a secret is kept (any more); see [Provider.Previous].
	ErrNoPrevious = errors.New("provider: no previous value of the secret is kept")

	// ErrNoVault: a key is configured, but nothing that says where its vault is.
	ErrNoVault = errors.New("provider: a key is configured (" + EnvKeyFile + " or " + EnvAzureURL + "), but " + EnvVaultFile +
		" is not set: set it to the path of the vault, or to nothing to do without one")

	// ErrNoKey: a vault file is configured, but nothing that says where its key is.
	ErrNoKey = errors.New("provider: a vault file is configured, but no key: set " + EnvKeyFile + " or " + EnvAzureURL)

	// ErrNoAzure: an Azure Key Vault is configured, but the program does not contain the client for it.
	ErrNoAzure = errors.New("provider: " + EnvAzureURL + " is set, but Azure Key Vault is not built in: import " +
		"github.com/mazevault/vault-tool/keysource/azurekeyvault and pass provider.WithAzureKeyVault(azurekeyvault.New)")

	// ErrNoNotify: the system does not notify of changes, because its limits are used up, say, or a directory may not be
	// read. [Provider.Watch] then notices changes by looking every poll interval ([Config].PollInterval), so later, but misses
	// none. It is a [Change]'s Warning.
	ErrNoNotify = errors.New("provider: the system does not notify of changes")

	// ErrSuccessor: the vault does not open with its key but with the successor of that, so that a rotation has begun and not ended, or somebody
	// has put a key and a vault there. The name of the successor follows. It is a [Change]'s Warning, and stands in [Status] as long as it is so.
	ErrSuccessor = errors.New("provider: the vault was opened with the successor of its key")

	// ErrReference: a secret is a reference to an external store, and its value is not in the vault. A [ReferenceError] matches too.
	ErrReference = errors.New("provider: secret is a reference to an external store")

	// ErrDotenv: a .env file does not parse, or its values cannot be set.
	ErrDotenv = errors.New("provider: cannot load the .env file")
)

// MissingError says which of the secrets that a service requires have no value. It matches
// [ErrNotFound].
type MissingError struct {
	Unset []string // in neither the vault nor the environment
	Empty []string // set to nothing
}

func (e *MissingError) Error() string {
	var parts []string
	if len(e.Unset) > 0 {
		parts = append(parts, "missing: "+list(e.Unset))
	}
	if len(e.Empty) > 0 {
		parts = append(parts, "set but empty: "+list(e.Empty))
	}
	return "provider: required secrets " + strings.Join(parts, "; ")
}

// Is makes every MissingError match [ErrNotFound].
func (e *MissingError) Is(target error) bool { return target == ErrNotFound }

// ReferenceError says which secrets are references to external stores, which the provider does not fetch. It matches [ErrReference].
type ReferenceError struct {
	Names []string // sorted
}

func (e *ReferenceError) Error() string {
	return "provider: these secrets are references to external stores, whose values the provider does not fetch: " + list(e.Names)
}

// Is makes every ReferenceError match [ErrReference].
func (e *ReferenceError) Is(target error) bool { return target == ErrReference }

func list(names []string) string {
	shown := make([]string, 0, len(names))
	for _, name := range names {
		shown = append(shown, printable(name))
	}
	return strings.Join(shown, ", ")
}

// printable is a name as it may stand in an error. What a service looks up may come from its own clients,
// and must not bring line breaks or terminal escapes into a log.
func printable(name string) string {
	if len(name) > vaultfile.MaxNameBytes { // in no vault
		name = name[:vaultfile.MaxNameBytes] + "…"
	}
	if quoted := strconv.Quote(name); len(quoted) != len(name)+len(`""`) || name == "" {
		return quoted
	}
	return name
}
