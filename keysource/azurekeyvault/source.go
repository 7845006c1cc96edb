package azurekeyvault

import (
	"context"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/keysource"
)

// Timeout bounds one reading of the secret: token, retries and waits included.
const Timeout = 10 * time.Second

// Source reads a vault's passphrase from a secret in Azure Key Vault. It implements
// [keysource.Source], holds no secret between calls, and is safe for concurrent use.
type Source struct {
	address address
	lookup  func(name string) string
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
	if secretName == "" {
		secretName = DefaultSecretName
	}
	a, err := parseAddress(vaultURL, secretName)
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
	content, err := s.fetch(ctx)
	if err != nil {
		return err
	}
	defer content.Destroy()
	passphrase, err := keysource.Passphrase(content.Bytes())
	if err != nil {
		return &Error{Address: s.String(), Reason: err}
	}
	return use(passphrase)
}

// fetch returns what the secret holds, decoded. The SDK's copies of it are erased as far as they can
// be reached; see the package documentation.
func (s *Source) fetch(ctx context.Context) (content *lockedmem.Buffer, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	erase.Do(func() { content, err = s.request(ctx) })
	erase.Flush()
	return content, err
}

// request makes the one call of the SDK. Credential and connections live as long as the call, so that
// neither a token nor a connection's buffers stay behind.
func (s *Source) request(ctx context.Context) (*lockedmem.Buffer, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Address: s.String(), Reason: err}
	}
	t := &trace{}
	connections := newConnections()
	defer connections.close()
	client, err := s.newClient(t, connections)
	if err != nil {
		return nil, &Error{Address: s.String(), Reason: err}
	}
	var raw rawResponse
	response, err := client.GetSecret(policy.WithCaptureResponse(ctx, &raw.response), s.address.secret, "", nil)
	defer raw.wipe()
	if err != nil {
		return nil, s.classify(ctx, t)
	}
	return s.content(response.Secret)
}

func (s *Source) newClient(t *trace, c *connections) (*azsecrets.Client, error) {
	credential, err := s.newCredential(t, c)
	if err != nil {
		return nil, err
	}
	return azsecrets.NewClient(s.address.vault, tracedCredential{credential, t}, &azsecrets.ClientOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud:            s.address.cloud,
			Transport:        c.vault,
			Retry:            retryOptions(vaultRetryStatus),
			PerRetryPolicies: pipelinePolicies(t, stepVault),
		},
	})
}
