package azurekeyvault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Role is the least Azure role that may read the secret.
const Role = "Key Vault Secrets User"

// Errors of [Source.Passphrase] to branch on with errors.Is: which step failed, and how.
var (
	// ErrIdentityConfig: the variables or the token file that name the identity are wrong or incomplete.
	ErrIdentityConfig = errors.New("the Azure identity is not configured rightly")

	// ErrIdentityUnreachable: the host's identity endpoint, or Microsoft Entra for workload identity,
	// cannot be reached or is out of order.
	ErrIdentityUnreachable = errors.New("the identity endpoint cannot be reached")

	// ErrTokenRefused: the identity was refused a token, or the vault refused the token.
	ErrTokenRefused = errors.New("token refused")

	// ErrVaultNotFound: the vault's name does not resolve, so there is no such vault.
	ErrVaultNotFound = errors.New("vault name wrong: it does not resolve")

	// ErrVaultUnreachable: the vault, or the proxy on the way to it, cannot be reached or is out of order.
	ErrVaultUnreachable = errors.New("the vault cannot be reached")

	// ErrCertificate: the TLS certificate is not the server's, or no authority that is trusted here issued it.
	ErrCertificate = errors.New("the TLS certificate is not trusted")

	// ErrAccessDenied: the identity may not read the secret; it needs [Role].
	ErrAccessDenied = errors.New("access denied")

	// ErrFirewall: the network rules of the vault do not let this host in.
	ErrFirewall = errors.New("the vault's firewall does not let this host in")

	// ErrSecretNotFound: the vault has no such secret, or it is deleted.
	ErrSecretNotFound = errors.New("secret not found")

	// ErrSecretDisabled: the secret is disabled, has expired or is not valid yet.
	ErrSecretDisabled = errors.New("the secret is disabled or outside its dates")

	// ErrThrottled: too many requests, and waiting as asked would take too long.
	ErrThrottled = errors.New("too many requests")

	// ErrTimeout: no answer within [Timeout] or the caller's own deadline. It comes together with
	// ErrIdentityUnreachable or ErrVaultUnreachable, and matches context.DeadlineExceeded.
	ErrTimeout error = timeoutError{}

	// ErrEncoding: the secret is not what its tag file-encoding says.
	ErrEncoding = errors.New("the secret cannot be decoded")

	// ErrUnexpected: an answer that Key Vault or the identity endpoint does not give.
	ErrUnexpected = errors.New("unexpected answer")
)

// timeoutError says it in other words than context.DeadlineExceeded, which are for programmers.
type timeoutError struct{}

func (timeoutError) Error() string        { return "no answer in time" }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Error is why the secret could not be read. It holds no part of a token, of the secret or of a
// response's text: only the status and the short code of an error.
type Error struct {
	Address string // of the secret
	Reason  error  // wraps one of the errors above, keysource.ErrEmpty, or the error of the context
	Host    string // who gave Status, or did not answer; empty where no request was made
	Status  int    // HTTP status; 0 where there was no answer
	Code    string // the service's code for the error, "Forbidden/ForbiddenByRbac" or "invalid_client/AADSTS700213"; may be empty
}

func (e *Error) Error() string {
	text := fmt.Sprintf("Azure Key Vault %s: %v", e.Address, e.Reason)
	if e.Status == 0 {
		return text
	}
	text += fmt.Sprintf(" (%s: HTTP %d %s", e.Host, e.Status, http.StatusText(e.Status))
	if e.Code != "" {
		text += ", " + e.Code
	}
	return text + ")"
}

// Unwrap makes the error match those it wraps.
func (e *Error) Unwrap() error { return e.Reason }

// maxCodeBytes is longer than any code there is.
const maxCodeBytes = 40

func isLetter(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// isCode tells whether text looks like a code of Key Vault or Microsoft Entra: letters and underscores.
// A token has dots and digits, a generated key digits, so neither can pass for one.
func isCode(text string) bool {
	return text != "" && len(text) <= maxCodeBytes &&
		!strings.ContainsFunc(text, func(c rune) bool { return !isLetter(c) && c != '_' })
}

// maxErrorCodes is how many numbers of Microsoft Entra are told.
const maxErrorCodes = 3

// errorCode returns the codes in the body of an error, outermost first, separated by slashes.
func errorCode(body []byte) string {
	var answer struct {
		Error   json.RawMessage `json:"error"`       // Key Vault: an object; Microsoft Entra: a string
		Numbers []uint32        `json:"error_codes"` // Microsoft Entra
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	var vault struct {
		Code  string `json:"code"`
		Inner struct {
			Code string `json:"code"`
		} `json:"innererror"`
	}
	var entra string
	codes := []string{}
	if json.Unmarshal(answer.Error, &entra) == nil {
		codes = append(codes, entra)
	} else if json.Unmarshal(answer.Error, &vault) == nil {
		codes = append(codes, vault.Code, vault.Inner.Code)
	}
	text := ""
	for _, c := range codes {
		if isCode(c) {
			text = join(text, c)
		}
	}
	for _, n := range answer.Numbers[:min(len(answer.Numbers), maxErrorCodes)] {
		text = join(text, fmt.Sprintf("AADSTS%d", n))
	}
	return text
}

func join(text, code string) string {
	if text == "" {
		return code
	}
	return text + "/" + code
}
