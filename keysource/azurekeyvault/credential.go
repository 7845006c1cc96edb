package azurekeyvault

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/mazevault/vault-tool/internal/descriptor"
)

// The variables that choose the credential, as the webhook of AKS workload identity sets them.
const (
	tokenFileEnv = "AZURE_FEDERATED_TOKEN_FILE"
	clientIDEnv  = "AZURE_CLIENT_ID"
	tenantIDEnv  = "AZURE_TENANT_ID"
)

func (s *Source) usesWorkloadIdentity() bool { return s.lookup(tokenFileEnv) != "" }

// newCredential returns workload identity where a federated token file is named, and otherwise the
// managed identity. There is no chain: what is configured is used, or fails.
func (s *Source) newCredential(t *trace, c *connections) (azcore.TokenCredential, error) {
	if s.usesWorkloadIdentity() {
		return s.newWorkloadIdentity(t, c)
	}
	options := &azidentity.ManagedIdentityCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Transport:        c.local,
			Retry:            retryOptions(identityRetryStatus),
			PerRetryPolicies: pipelinePolicies(t, stepIdentity),
		},
	}
	if id := s.lookup(clientIDEnv); id != "" {
		options.ID = azidentity.ClientID(id)
	}
	credential, err := azidentity.NewManagedIdentityCredential(options)
	if err != nil { // without a request yet, so the text can only speak of the configuration; still not repeated
		return nil, fmt.Errorf("%w: this host's managed identity cannot be used as the environment configures it (a user-assigned one through %s is not possible in Cloud Shell and Service Fabric)",
			ErrIdentityConfig, clientIDEnv)
	}
	return credential, nil
}

func (s *Source) newWorkloadIdentity(t *trace, c *connections) (azcore.TokenCredential, error) {
	file, tenant, client := s.lookup(tokenFileEnv), s.lookup(tenantIDEnv), s.lookup(clientIDEnv)
	var missing []string
	if tenant == "" {
		missing = append(missing, tenantIDEnv)
	}
	if client == "" {
		missing = append(missing, clientIDEnv)
	}
	if missing != nil {
		return nil, fmt.Errorf("%w: %s is set, so workload identity is used, but %s is not set",
			ErrIdentityConfig, tokenFileEnv, strings.Join(missing, " and "))
	}
	token, err := readToken(file)
	if err != nil {
		return nil, fmt.Errorf("%w: the file that %s names: %w", ErrIdentityConfig, tokenFileEnv, err)
	}
	assertion := func(context.Context) (string, error) { return token, nil }
	credential, err := azidentity.NewClientAssertionCredential(tenant, client, assertion, &azidentity.ClientAssertionCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud:            cloudOf(s.address),
			Transport:        c.vault,
			Retry:            retryOptions(vaultRetryStatus),
			PerRetryPolicies: pipelinePolicies(t, stepIdentity),
		},
		// The authority is a constant of the vault's cloud, so nobody needs to be asked whether to trust it.
		DisableInstanceDiscovery: true,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %s or %s is not valid", ErrIdentityConfig, tenantIDEnv, clientIDEnv)
	}
	return credential, nil
}

// maxTokenBytes is far above every token that Kubernetes issues: those have a few kilobytes.
const maxTokenBytes = 64 << 10

// readToken reads the token here, because azidentity would wait for the writer of a pipe and read a device without end.
// The token is as good as the credential, and cleared away with the SDK's copies of it.
func readToken(path string) (string, error) {
	f, err := descriptor.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // read-only: nothing to report
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", path)
	}
	if err != nil {
		return "", err
	}
	token, err := io.ReadAll(io.LimitReader(f, maxTokenBytes+1))
	if err == nil && len(token) > maxTokenBytes {
		err = fmt.Errorf("%s: more than %d bytes, which no token has", path, maxTokenBytes)
	}
	return string(token), err
}

// tracedCredential notes that a token is being asked for, so that a failure without any request (a
// token of another tenant, say) is told from a failure of the vault.
type tracedCredential struct {
	azcore.TokenCredential
	trace *trace
}

func (c tracedCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.trace.begin(stepIdentity, "")
	return c.TokenCredential.GetToken(ctx, o)
}
