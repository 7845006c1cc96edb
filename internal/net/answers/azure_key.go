package answers

import (
	"context"
	"errors"

	"github.com/mazevault/vault-tool/internal/exchange"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/keysource/azurekeyvault"
)

// Operations returns all that vault-tool-net can do, by name.
func Operations() map[string]Operation {
	return map[string]Operation{
		exchange.OperationAzureKey:       azureKey,
		exchange.OperationAzureKeyBefore: azureKeyBefore,
	}
}

// azureKey answers with the newest version of the secret.
func azureKey(ctx context.Context, request exchange.Record) (exchange.Record, func(), error) {
	source, err := azureSource(request)
	if err != nil {
		return nil, nil, err
	}
	var kept kept
	if err := source.Passphrase(ctx, kept.keep); err != nil {
		return nil, kept.wipe, azureFailure(err)
	}
	return exchange.Record{{Name: exchange.FieldValue, Value: kept.bytes()}}, kept.wipe, nil
}

// azureKeyBefore answers with the version before. The source has to have seen the newest one to know which that is.
func azureKeyBefore(ctx context.Context, request exchange.Record) (exchange.Record, func(), error) {
	source, err := azureSource(request)
	if err != nil {
		return nil, nil, err
	}
	if err := source.Passphrase(ctx, func([]byte) error { return nil }); err != nil {
		return nil, nil, azureFailure(err)
	}
	var kept kept
	name, err := source.Successor(ctx, kept.keep)
	switch {
	case err != nil:
		return nil, kept.wipe, azureFailure(err)
	case name == "":
		return exchange.Record{}, nil, nil
	}
	return exchange.Record{
		{Name: exchange.FieldName, Value: []byte(name)},
		{Name: exchange.FieldValue, Value: kept.bytes()},
	}, kept.wipe, nil
}

func azureSource(request exchange.Record) (*azurekeyvault.Source, error) {
	source, err := azurekeyvault.New(request.Text(exchange.FieldVault), request.Text(exchange.FieldSecret))
	if err != nil { // the address has been checked by who asks, and the text is ours
		return nil, azureFailure(err)
	}
	return source, nil
}

// kept is a passphrase for as long as the answer takes.
type kept struct{ memory *lockedmem.Buffer }

func (k *kept) keep(passphrase []byte) error {
	memory, err := lockedmem.New(len(passphrase))
	if err != nil {
		return err
	}
	copy(memory.Bytes(), passphrase)
	k.memory = memory
	return nil
}

func (k *kept) bytes() []byte { return k.memory.Bytes() }
func (k *kept) wipe()         { k.memory.Destroy() }

// azureKinds are the kinds of azurekeyvault's errors. The first match counts: a timeout is told by what did not answer.
var azureKinds = []struct {
	target error
	kind   exchange.Kind
}{
	{azurekeyvault.ErrVaultURL, exchange.BadAddress},
	{azurekeyvault.ErrSecretName, exchange.BadName},
	{azurekeyvault.ErrIdentityConfig, exchange.IdentityConfig},
	{azurekeyvault.ErrVaultNotFound, exchange.StoreNotFound},
	{azurekeyvault.ErrSecretNotFound, exchange.SecretNotFound},
	{azurekeyvault.ErrEncoding, exchange.Encoding},
	{azurekeyvault.ErrIdentityUnreachable, exchange.IdentityUnreachable},
	{azurekeyvault.ErrVaultUnreachable, exchange.StoreUnreachable},
	{azurekeyvault.ErrTokenRefused, exchange.TokenRefused},
	{azurekeyvault.ErrCertificate, exchange.Certificate},
	{azurekeyvault.ErrAccessDenied, exchange.AccessDenied},
	{azurekeyvault.ErrFirewall, exchange.Firewall},
	{azurekeyvault.ErrSecretDisabled, exchange.SecretDisabled},
	{azurekeyvault.ErrThrottled, exchange.Throttled},
	{azurekeyvault.ErrUnexpected, exchange.UnexpectedAnswer},
	{keysource.ErrEmpty, exchange.SecretEmpty},
	{keysource.ErrTooLarge, exchange.SecretTooLarge},
	{context.DeadlineExceeded, exchange.Timeout},
}

// azureFailure is an error of azurekeyvault, whose texts are ours. Any other keeps its text to itself.
func azureFailure(err error) error {
	var typed *azurekeyvault.Error
	if !errors.As(err, &typed) && !errors.Is(err, azurekeyvault.ErrVaultURL) && !errors.Is(err, azurekeyvault.ErrSecretName) {
		return err
	}
	for _, k := range azureKinds {
		if errors.Is(err, k.target) {
			return &exchange.Failure{Kind: k.kind, Text: err.Error()}
		}
	}
	return &exchange.Failure{Kind: exchange.Failed, Text: err.Error()}
}
