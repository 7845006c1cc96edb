package azurekeyvault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// classify tells from the last event of a failed call what failed.
func (s *Source) classify(ctx context.Context, t *trace) error {
	e := t.get()
	failure := &Error{Address: s.String(), Host: e.host, Status: e.status, Code: e.code}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		failure.Status, failure.Code, failure.Reason = 0, "", context.Canceled
	case e.err != nil:
		failure.Reason = networkReason(e)
	case e.step == stepIdentity:
		failure.Reason = s.identityReason(e)
	default:
		failure.Reason = vaultReason(e)
	}
	return failure
}

// identityReason is for an answer of the identity endpoint, or none asked for.
func (s *Source) identityReason(e event) error {
	switch {
	case e.host == "" && !s.usesWorkloadIdentity():
		return fmt.Errorf("%w: the managed identity cannot be asked for a token; check IDENTITY_ENDPOINT and the variables beside it",
			ErrIdentityConfig)
	case e.host == "":
		return fmt.Errorf("%w: no token can be asked for; check that %s is the tenant of the vault and %s the client",
			ErrIdentityConfig, tenantIDEnv, clientIDEnv)
	case e.status == http.StatusOK:
		return fmt.Errorf("%w: the identity endpoint gave no usable token", ErrUnexpected)
	case e.status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: the identity endpoint is throttling", ErrThrottled)
	case e.status >= http.StatusInternalServerError:
		return fmt.Errorf("%w: it is out of order", ErrIdentityUnreachable)
	}
	return fmt.Errorf("%w: check that this host has the managed identity, or the workload its federated credential, that %s names (none: the system-assigned one)",
		ErrTokenRefused, clientIDEnv)
}

// vaultReason is for an answer of the vault.
func vaultReason(e event) error {
	switch e.status {
	case http.StatusOK:
		return fmt.Errorf("%w: the vault's answer is not a secret", ErrUnexpected)
	case http.StatusUnauthorized:
		if !e.authorized {
			return fmt.Errorf("%w: this is not the challenge of a Key Vault", ErrUnexpected)
		}
		return fmt.Errorf("%w by the vault: check that the identity belongs to the vault's tenant", ErrTokenRefused)
	case http.StatusForbidden:
		return forbiddenReason(e.code)
	case http.StatusNotFound:
		return fmt.Errorf("%w: the vault has no such secret, or it is deleted", ErrSecretNotFound)
	case http.StatusTooManyRequests:
		return fmt.Errorf("%w: the vault is throttling; try again later", ErrThrottled)
	}
	if e.status >= http.StatusInternalServerError {
		return fmt.Errorf("%w: it is out of order", ErrVaultUnreachable)
	}
	return fmt.Errorf("%w of the vault", ErrUnexpected)
}

// forbiddenReason tells the cases of 403 apart by the inner code.
func forbiddenReason(code string) error {
	switch {
	case strings.HasSuffix(code, "ForbiddenByFirewall"), strings.HasSuffix(code, "ForbiddenByConnection"):
		return fmt.Errorf("%w: allow its network or address there, or use a private endpoint", ErrFirewall)
	case strings.HasSuffix(code, "SecretDisabled"):
		return fmt.Errorf("%w: enable it", ErrSecretDisabled)
	}
	return fmt.Errorf("%w: grant the identity the role %q on the vault or the secret (or, in a vault with access policies, the secret permission Get)",
		ErrAccessDenied, Role)
}

// networkReason is for a request without an answer.
func networkReason(e event) error {
	unreachable := ErrVaultUnreachable
	if e.step == stepIdentity {
		unreachable = ErrIdentityUnreachable
	}
	var (
		certificate *tls.CertificateVerificationError
		proxy       *proxyError
		dns         *net.DNSError
		dial        *net.OpError
		endless     *http.MaxBytesError
	)
	viaProxy := errors.As(e.err, &dial) && dial.Op == "proxyconnect"
	switch {
	case errors.As(e.err, &certificate):
		return fmt.Errorf("%w: %s: %s", ErrCertificate, e.host, certificateFault(certificate.Err))
	case errors.As(e.err, &endless):
		return fmt.Errorf("%w: more than %d bytes from %s", ErrUnexpected, endless.Limit, e.host)
	case errors.As(e.err, &proxy):
		return fmt.Errorf("%w: %w for %s; the name may be wrong or not allowed there", unreachable, proxy, e.host)
	case errors.Is(e.err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w from %s", unreachable, ErrTimeout, e.host)
	case viaProxy:
		return fmt.Errorf("%w: the proxy that the environment names cannot be reached%s", unreachable, errnoText(e.err))
	case errors.As(e.err, &dns) && dns.IsNotFound && e.step == stepVault:
		return fmt.Errorf("%w: there is no %s", ErrVaultNotFound, e.host)
	case errors.As(e.err, &dns):
		return fmt.Errorf("%w: the name %s cannot be looked up", unreachable, e.host)
	}
	return fmt.Errorf("%w: no connection to %s%s", unreachable, e.host, errnoText(e.err))
}

// errnoText is the system's word for an error of a connection, if there is one.
func errnoText(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return ": " + errno.Error()
	}
	return ""
}

// certificateFault says in words of ours what is wrong with a certificate: its own text is the
// server's, and of any length.
func certificateFault(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &unknown):
		return "no authority that this host trusts issued it"
	case errors.As(err, &host):
		return "it is another host's"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired, or this host's clock is wrong"
	}
	return "it is not valid"
}
