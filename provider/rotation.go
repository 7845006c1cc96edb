package provider

import (
	"bytes"
	"context"
	"fmt"
)

// WithRotation calls use with a secret, for a service that must go on when the secret is changed at both
// ends, a database password say. Where use fails with an error that isAuthError says is one of
// authentication, the vault is looked at again, and if the secret has another value now, use is called
// once more, with that. Otherwise, and in the second case whatever comes, the error is use's own; it
// also wraps the vault's if that could not be read again.
//
// use gets the bytes as in [Provider.Use]: where they stand, for the length of the call. A nil
// isAuthError counts every error. Errors of the lookup wrap [ErrNotFound] or [ErrClosed].
func (p *Provider) WithRotation(ctx context.Context, name string, use func(ctx context.Context, secret []byte) error, isAuthError func(error) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// The first value stays in its snapshot until the second is compared with it: no copy is needed.
	return p.Use(name, func(first []byte) error {
		failure := use(ctx, first)
		if failure == nil || isAuthError != nil && !isAuthError(failure) || ctx.Err() != nil {
			return failure
		}
		if _, err := p.refresh(ctx, false); err != nil {
			failure = fmt.Errorf("%w (and the vault could not be read again: %w)", failure, err)
		}
		if ctx.Err() != nil {
			return failure
		}
		retried := false
		var again error
		// A lookup that fails now (the secret is gone, the provider closed) leaves the first error.
		_ = p.Use(name, func(second []byte) error {
			if bytes.Equal(first, second) {
				return nil
			}
			retried, again = true, use(ctx, second)
			return nil
		})
		if retried {
			return again
		}
		return failure
	})
}
