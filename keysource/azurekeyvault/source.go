package azurekeyvault

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/mazevault/vault-tool/internal/azureaddress"
	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/keysource"
)

// Timeout bounds one reading of the secret: token, retries and waits included.
const Timeout = 10 * time.Second

// Source reads a vault's passphrase from a secret in Azure Key Vault. It implements
// [keysource.Source] and vaultfile.SuccessorSource, holds no secret between calls, and is safe for
// concurrent use.
type Source struct {
	address azureaddress.Address
	lookup  func(name string) string
	opened  atomic.Bool // a passphrase of this source has opened a vault

	mu      sync.Mutex
	version string // of the secret as it was read last; "" for not known
}

var _ keysource.Source = (*Source)(nil)

// Option changes how a [Source] works.
type Option func(*Source)

// WithEnvironment replaces os.Getenv for the variables that choose the credential (see the package
// documentation). The endpoint of a managed identity is found by azidentity in the environment of the
// process whatever lookup says.
func WithEnvironment(lookup func(name string) string) Option {
	return func(s *Source) { s.lookup = lookup }
}

// New returns the source for the secret secretName ([DefaultSecretName] if empty) in the vault at
// vaultURL, "https://NAME.vault.azure.net". The newest version of the secret is read. Nothing is read
// yet, and the network is not touched; errors wrap [ErrVaultURL] or [ErrSecretName].
func New(vaultURL, secretName string, options ...Option) (*Source, error) {
	a, err := azureaddress.Parse(vaultURL, secretName)
	if err != nil {
		return nil, err
	}
	s := &Source{address: a, lookup: os.Getenv}
	for _, option := range options {
		option(s)
	}
	return s, nil
}

// String returns the address of the secret, "https://NAME.vault.azure.net/secrets/SECRET".
func (s *Source) String() string { return s.address.String() }

// Passphrase implements [keysource.Source]. The secret is fetched within [Timeout]; the time that use
// takes does not count. Errors of fetching are an [*Error]; [keysource.ErrEmpty] is wrapped where the
// secret is empty. When ctx ends first, the error wraps that of ctx.
func (s *Source) Passphrase(ctx context.Context, use func(passphrase []byte) error) error {
	content, err := s.fetch(ctx, func(ctx context.Context, c *client) (*lockedmem.Buffer, error) { return c.get(ctx, newest) })
	if err != nil {
		return err
	}
	return s.hand(content, use)
}

// hand calls use with the passphrase in content, which it destroys.
func (s *Source) hand(content *lockedmem.Buffer, use func(passphrase []byte) error) error {
	defer content.Destroy()
	passphrase, err := keysource.Passphrase(content.Bytes())
	if err != nil {
		return &Error{Address: s.String(), Reason: err}
	}
	return use(passphrase)
}

// fetch returns what get does, with a client that lives as long as the call. The SDK's copies of a secret are erased as
// far as they can be reached; see the package documentation.
func (s *Source) fetch(ctx context.Context, get func(context.Context, *client) (*lockedmem.Buffer, error)) (content *lockedmem.Buffer, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	erase.Do(func() {
		var c *client
		if c, err = s.open(ctx); err != nil {
			return
		}
		defer c.connections.close()
		content, err = get(ctx, c)
	})
	erase.Flush()
	return content, err
}

// client is the SDK's, with credential and connections of its own, so that neither a token nor a connection's buffers stay
// behind.
type client struct {
	source      *Source
	secrets     *azsecrets.Client
	connections *connections
	trace       *trace
}

func (s *Source) open(ctx context.Context) (*client, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Address: s.String(), Reason: err}
	}
	c := &client{source: s, connections: newConnections(), trace: &trace{}}
	var err error
	if c.secrets, err = s.newClient(c.trace, c.connections); err != nil {
		c.connections.close()
		return nil, &Error{Address: s.String(), Reason: err}
	}
	return c, nil
}

func (s *Source) newClient(t *trace, c *connections) (*azsecrets.Client, error) {
	credential, err := s.newCredential(t, c)
	if err != nil {
		return nil, err
	}
	return azsecrets.NewClient(s.address.Vault, tracedCredential{credential, t}, &azsecrets.ClientOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud:            cloudOf(s.address),
			Transport:        c.vault,
			Retry:            retryOptions(vaultRetryStatus),
			PerRetryPolicies: pipelinePolicies(t, stepVault),
		},
	})
}

// newest is the version of a secret that has not been replaced, in the API's words.
const newest = ""

// get fetches a version of the secret.
func (c *client) get(ctx context.Context, version string) (*lockedmem.Buffer, error) {
	var raw rawResponse
	response, err := c.secrets.GetSecret(policy.WithCaptureResponse(ctx, &raw.response), c.source.address.Secret, version, nil)
	defer raw.wipe()
	if err != nil {
		return nil, c.source.classify(ctx, c.trace)
	}
	if version == newest && response.ID != nil {
		c.source.noteVersion(response.ID.Version())
	}
	return c.source.content(response.Secret)
}
