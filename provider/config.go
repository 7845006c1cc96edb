package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mazevault/vault-tool/kdf"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// The variables that [FromEnv] reads. One that is set to nothing counts as not set.
const (
	EnvVaultFile   = "MAZEVAULT_VAULT_FILE"       // path of the vault; without it there is none
	EnvKeyFile     = "MAZEVAULT_VAULT_KEY_FILE"   // path of the key file
	EnvAzureURL    = "MAZEVAULT_VAULT_AKV_URL"    // https://NAME.vault.azure.net, where the key is a secret
	EnvAzureSecret = "MAZEVAULT_VAULT_AKV_SECRET" // that secret's name, or DefaultAzureSecret
)

// DefaultAzureSecret is the name of the secret with the key in Azure Key Vault.
const DefaultAzureSecret = "mazevault-vault-key"

// DefaultPollInterval is how often [Provider.Watch] looks at the files without having been notified of
// a change.
const DefaultPollInterval = 30 * time.Second

// DefaultKeyInterval is how often a key that is in no file, but in Azure Key Vault, say, is asked for again while the provider
// watches.
const DefaultKeyInterval = 5 * time.Minute

// Config says where the secrets are. The zero value is the legacy mode: the environment alone.
//
// The key of the vault comes from the first of these that is set: Source, AzureURL, KeyFile.
type Config struct {
	// VaultFile is the path of the vault. Without it there is no vault, and a key that is configured is
	// not looked at.
	VaultFile string

	// KeyFile is the path of the key file.
	KeyFile string

	// AzureURL and AzureSecret name a secret in Azure Key Vault that holds the key. An empty
	// AzureSecret is DefaultAzureSecret.
	AzureURL, AzureSecret string

	// OpenAzure returns the source for such a secret; see [WithAzureKeyVault]. The provider closes what
	// it returned if that has a Close method.
	OpenAzure func(vaultURL, secretName string) (keysource.Source, error)

	// Source, if set, supplies the key. The caller closes it, after the provider.
	Source keysource.Source

	// Load, if set, supplies the vault instead of VaultFile, at the start, at every reload, and in Watch
	// once every PollInterval: for tests and for vaults that are no files. Each call returns a vault of
	// its own, which the provider closes. Load must not close the provider.
	Load func(ctx context.Context) (*vaultfile.Vault, error)

	// Dotenv are the paths of .env files that are loaded before anything else; see [WithDotenv].
	Dotenv []string

	// LookupEnv is used instead of os.LookupEnv. What .env files set is then visible through the
	// provider only, and not put into the environment of the process.
	LookupEnv func(name string) (value string, ok bool)

	// Require are the secrets that have to have a value, in the vault or the environment. Opening fails where one has none,
	// with a [MissingError], and so does a reload: the last good vault then stays in service.
	Require []string

	// AllowReferences lets the vault have secrets that are references to external stores, which the provider does not fetch. Get of one is
	// empty whatever the environment has, and Use, Require and Fill fail with a [ReferenceError]. Without AllowReferences such a vault
	// is that error: opening fails, and so does a reload.
	AllowReferences bool

	// Grace is how long the value of a secret from before its last change is kept for [Provider.Previous]; 0 keeps none.
	Grace time.Duration

	// Watch makes the provider watch from the opening on until Close, as with [Provider.Watch]. OnChange, if set, does so
	// too, and is told of the changes.
	Watch    bool
	OnChange func(Change)

	// PollInterval is how often Watch looks at the files though nothing was notified; 0 means
	// DefaultPollInterval.
	PollInterval time.Duration

	// KeyInterval is how often, at the most, a key that is in no file is asked for again, to notice that it has been disabled or replaced;
	// 0 means DefaultKeyInterval. A key file is looked at whenever it is touched.
	KeyInterval time.Duration

	// Deriver, if set, derives keys instead of the fastest implementation.
	Deriver *kdf.Deriver

	dotenvDefault bool
}

// Option adjusts [FromEnv].
type Option func(*Config)

// WithAzureKeyVault enables keys from Azure Key Vault. It is passed the constructor:
//
//	provider.WithAzureKeyVault(azurekeyvault.New)
//
// so that only a program that imports github.com/mazevault/vault-tool/keysource/azurekeyvault contains
// the Azure SDK.
func WithAzureKeyVault[S keysource.Source, O any](open func(vaultURL, secretName string, options ...O) (S, error)) Option {
	return func(c *Config) {
		c.OpenAzure = func(vaultURL, secretName string) (keysource.Source, error) { return open(vaultURL, secretName) }
	}
}

// WithSource makes s supply the key of the vault, whatever the environment says.
func WithSource(s keysource.Source) Option { return func(c *Config) { c.Source = s } }

// WithDotenv loads .env files first, as godotenv.Load does: what is in the environment already wins, and
// of several files the first that has a name. The variables that FromEnv reads may stand in them. A
// file that is missing or does not parse is an error, with the line and without any content. Without
// paths it is .env in the working directory, if there is one.
func WithDotenv(paths ...string) Option {
	return func(c *Config) { c.Dotenv, c.dotenvDefault = paths, len(paths) == 0 }
}

// WithLookupEnv sets [Config].LookupEnv.
func WithLookupEnv(lookup func(name string) (value string, ok bool)) Option {
	return func(c *Config) { c.LookupEnv = lookup }
}

// WithPollInterval sets [Config].PollInterval.
func WithPollInterval(d time.Duration) Option { return func(c *Config) { c.PollInterval = d } }

// WithRequire sets [Config].Require.
func WithRequire(names ...string) Option { return func(c *Config) { c.Require = names } }

// WithWatch makes the provider watch until Close; see [Config].OnChange. report may be nil.
func WithWatch(report func(Change)) Option {
	return func(c *Config) { c.Watch, c.OnChange = true, report }
}

// WithReferencesAllowed sets [Config].AllowReferences.
func WithReferencesAllowed() Option { return func(c *Config) { c.AllowReferences = true } }

// WithGrace sets [Config].Grace.
func WithGrace(d time.Duration) Option { return func(c *Config) { c.Grace = d } }

// FromEnv opens the provider that the environment describes. It is the one function of the package that
// reads configuration from there: EnvVaultFile, EnvKeyFile, EnvAzureURL, EnvAzureSecret. Without a vault
// file it returns a provider of the environment alone, and no error; but where EnvKeyFile or EnvAzureURL is set and EnvVaultFile is
// not there at all, its name may be misspelt, and the error is [ErrNoVault]: set it to nothing to have no vault. Where both a key file and Azure Key
// Vault are set, the key is taken from Azure Key Vault. Errors are those of [Open].
func FromEnv(ctx context.Context, options ...Option) (*Provider, error) {
	var c Config
	for _, option := range options {
		option(&c)
	}
	env, err := c.environment()
	if err != nil {
		return nil, err
	}
	get := func(name string) string {
		value, _ := env(name)
		return value
	}
	if _, ok := env(EnvVaultFile); !ok && (get(EnvKeyFile) != "" || get(EnvAzureURL) != "") {
		return nil, ErrNoVault
	}
	c.VaultFile, c.KeyFile = get(EnvVaultFile), get(EnvKeyFile)
	c.AzureURL, c.AzureSecret = get(EnvAzureURL), get(EnvAzureSecret)
	return open(ctx, c, env)
}

// Open opens a provider. A vault that is configured and cannot be opened is an error: one of
// vaultfile's or keysource's, [ErrNoKey], [ErrNoAzure], or the context's. ctx bounds the opening only.
func Open(ctx context.Context, c Config) (*Provider, error) {
	env, err := c.environment()
	if err != nil {
		return nil, err
	}
	return open(ctx, c, env)
}

// environment loads the .env files and returns what looks up a variable.
func (c *Config) environment() (func(string) (string, bool), error) {
	lookup := c.LookupEnv
	paths, optional := c.Dotenv, false
	if c.dotenvDefault {
		paths, optional = []string{defaultDotenv}, true
	}
	if len(paths) == 0 {
		if lookup == nil {
			lookup = os.LookupEnv
		}
		return lookup, nil
	}
	if lookup == nil {
		return os.LookupEnv, loadDotenv(paths, optional, os.LookupEnv, os.Setenv)
	}
	overlay := make(map[string]string)
	both := func(name string) (string, bool) {
		if value, ok := lookup(name); ok {
			return value, true
		}
		value, ok := overlay[name]
		return value, ok
	}
	return both, loadDotenv(paths, optional, both, func(name, value string) error {
		overlay[name] = value
		return nil
	})
}

// origin returns where the snapshots come from, nil for the environment alone.
func (c *Config) origin() (origin, error) {
	if c.Load != nil {
		return loadOrigin(c.Load), nil
	}
	if c.VaultFile == "" {
		return nil, nil
	}
	path, err := absolute(c.VaultFile)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Source != nil:
		return c.newFileOrigin(path, c.Source, nil), nil
	case c.AzureURL != "":
		source, err := c.azure()
		if err != nil {
			return nil, err
		}
		return c.newFileOrigin(path, source, closer(source)), nil
	case c.KeyFile != "":
		keyPath, err := absolute(c.KeyFile)
		if err != nil {
			return nil, err
		}
		source := keysource.NewFile(keyPath)
		return c.newFileOrigin(path, source, closer(source)), nil
	}
	return nil, ErrNoKey
}

// absolute makes a path independent of later changes of the working directory. It does not tidy the
// path, which would mistake ".." behind a symbolic link.
func absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("provider: %s: %w", path, err)
	}
	return dir + string(filepath.Separator) + path, nil
}

func (c *Config) azure() (keysource.Source, error) {
	if c.OpenAzure == nil {
		return nil, ErrNoAzure
	}
	secretName := c.AzureSecret
	if secretName == "" {
		secretName = DefaultAzureSecret
	}
	source, err := c.OpenAzure(c.AzureURL, secretName)
	if err != nil {
		return nil, fmt.Errorf("provider: Azure Key Vault (%s, %s): %w", EnvAzureURL, EnvAzureSecret, err)
	}
	if source == nil {
		return nil, errors.New("provider: Config.OpenAzure returned no source")
	}
	return source, nil
}

// closer returns what closes a source, nil where nothing does.
func closer(source keysource.Source) func() error {
	switch s := source.(type) {
	case interface{ Close() error }:
		return s.Close
	case interface{ Close() }:
		return func() error { s.Close(); return nil }
	}
	return nil
}
