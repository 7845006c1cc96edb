package azurekeyvault

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// Opened tells the source that a passphrase of its has opened a vault. From then on it has no successor.
func (s *Source) Opened() { s.opened.Store(true) }

// Successor implements vaultfile.SuccessorSource: it calls use with the version of the secret directly before the
// newest, and returns its address. Between the making of a new version and the re-encryption of the vault it is that one which
// opens the vault, and a service that starts then must not fail.
//
// There is none once a passphrase has opened a vault (see Opened): a process that runs would otherwise go on to accept
// vaults of a key that was given up. There is none where the version before is disabled or outside its dates, or where the
// identity may not list versions; that is no error. Other errors are those of [Source.Passphrase].
func (s *Source) Successor(ctx context.Context, use func(passphrase []byte) error) (name string, err error) {
	if s.opened.Load() {
		return "", nil
	}
	var version string
	content, err := s.fetch(ctx, func(ctx context.Context, c *client) (*lockedmem.Buffer, error) {
		var err error
		if version, err = c.versionBefore(ctx); err != nil || version == "" {
			return nil, err
		}
		return c.get(ctx, version)
	})
	if errors.Is(err, ErrAccessDenied) || errors.Is(err, ErrSecretDisabled) {
		return "", nil
	}
	if err != nil || content == nil {
		return "", err
	}
	return s.String() + "/" + version, s.hand(content, use)
}

// noteVersion remembers which version is the newest.
func (s *Source) noteVersion(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
}

func (s *Source) newestVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// versionBefore returns the version that was made directly before the newest, if it may be used, else "".
func (c *client) versionBefore(ctx context.Context) (string, error) {
	all, err := c.versions(ctx)
	if err != nil {
		return "", err
	}
	current := c.source.newestVersion()
	var before *azsecrets.SecretProperties
	for _, p := range all {
		if p.ID.Version() == current {
			continue
		}
		if before == nil || p.Attributes.Created.After(*before.Attributes.Created) {
			before = p
		}
	}
	if current == "" || before == nil || checkValid(before.Attributes, time.Now()) != nil {
		return "", nil
	}
	return before.ID.Version(), nil
}

// versions lists the versions of the secret, without their values, in no order.
func (c *client) versions(ctx context.Context) ([]*azsecrets.SecretProperties, error) {
	var all []*azsecrets.SecretProperties
	for pager := c.secrets.NewListSecretPropertiesVersionsPager(c.source.address.Secret, nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, c.source.classify(ctx, c.trace)
		}
		for _, p := range page.Value {
			if p != nil && p.ID != nil && p.Attributes != nil && p.Attributes.Created != nil {
				all = append(all, p)
			}
		}
		if err := c.checkLink(page.NextLink); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// checkLink refuses a next page anywhere but in the vault: the SDK would take the token there.
func (c *client) checkLink(link *string) error {
	if link == nil || *link == "" {
		return nil
	}
	vault, err := url.Parse(c.source.address.Vault)
	if err != nil {
		return err
	}
	if next, err := url.Parse(*link); err == nil && next.Scheme == vault.Scheme && next.Host == vault.Host {
		return nil
	}
	return &Error{Address: c.source.String(), Reason: fmt.Errorf("%w: the list of versions goes on outside the vault", ErrUnexpected)}
}
