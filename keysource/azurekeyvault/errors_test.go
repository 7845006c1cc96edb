package azurekeyvault_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/fakeazure"
	"github.com/mazevault/vault-tool/keysource/azurekeyvault"
)

func failWith(status int, code, inner string) fakeazure.Handler {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		fakeazure.Fail(w, status, code, inner)
		return true
	}
}

// withToken lets the first request through to its challenge.
func withToken(h fakeazure.Handler) fakeazure.Handler {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return r.Header.Get("Authorization") != "" && h(w, r)
	}
}

func text(status int, body string) fakeazure.Handler {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

func challenge(value string) fakeazure.Handler {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("WWW-Authenticate", value)
		fakeazure.Fail(w, http.StatusUnauthorized, "Unauthorized", "")
		return true
	}
}

func redirect(w http.ResponseWriter, r *http.Request) bool {
	http.Redirect(w, r, "https://"+fakeazure.LoginHost+"/elsewhere", http.StatusTemporaryRedirect)
	return true
}

func proxyStatus(status int) fakeazure.Handler {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		return true
	}
}

// endless answers with spaces until the client has enough.
func endless(w http.ResponseWriter, _ *http.Request) bool {
	w.WriteHeader(http.StatusOK)
	for spaces := bytes.Repeat([]byte(" "), 1<<16); ; {
		if _, err := w.Write(spaces); err != nil {
			return true
		}
	}
}

type errorCase struct {
	set      fakeazure.Faults
	env      []string // instead of, or after, the fake's
	workload bool
	order    order
	kinds    []string // all of them
	says     string   // a part of the message
	status   int
	least    time.Duration
	most     time.Duration // 0: the bound of every call
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tests := range []map[string]errorCase{vaultErrors(), identityErrors(), networkErrors(t)} {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				if testing.Short() && strings.HasSuffix(name, " hangs") {
					t.Skip("takes its ten seconds")
				}
				t.Parallel()
				tt.check(t)
			})
		}
	}
}

func (tt errorCase) check(t *testing.T) {
	azure := start(t)
	azure.Break(tt.set)
	env := azure.Env()
	if tt.workload {
		env = azure.WorkloadEnv()
	}
	if tt.order.URL == "" {
		tt.order.URL = testURL
	}
	r := run(t, azure, append(env, tt.env...), tt.order)
	slices.Sort(r.Kinds)
	if !slices.Equal(r.Kinds, tt.kinds) {
		t.Errorf("error %q is %v, want %v", r.Error, r.Kinds, tt.kinds)
	}
	if !strings.Contains(r.Error, tt.says) || !strings.Contains(r.Error, "https://") {
		t.Errorf("error %q does not say %q and the address", r.Error, tt.says)
	}
	if strings.Contains(r.Error, "context deadline") {
		t.Errorf("error %q is for programmers", r.Error)
	}
	if r.Status != tt.status {
		t.Errorf("status %d, want %d", r.Status, tt.status)
	}
	most := tt.most
	if most == 0 {
		most = azurekeyvault.Timeout + time.Second
	}
	if r.Took < tt.least || r.Took > most {
		t.Errorf("took %s, want %s to %s", r.Took, tt.least, most)
	}
}

func onVault(h fakeazure.Handler) fakeazure.Faults    { return fakeazure.Faults{Vault: h} }
func onIdentity(h fakeazure.Handler) fakeazure.Faults { return fakeazure.Faults{Identity: h} }
func onLogin(h fakeazure.Handler) fakeazure.Faults    { return fakeazure.Faults{Login: h} }
func onProxy(h fakeazure.Handler) fakeazure.Faults    { return fakeazure.Faults{Proxy: h} }
func certificate(f fakeazure.CertificateFault) fakeazure.Faults {
	return fakeazure.Faults{Certificate: f}
}

const soon = 3 * time.Second // no retries

func vaultErrors() map[string]errorCase {
	return map[string]errorCase{
		"no role": {
			set:   onVault(withToken(failWith(403, "Forbidden", "ForbiddenByRbac"))),
			kinds: []string{"AccessDenied"}, says: `role "Key Vault Secrets User"`, status: 403, most: soon,
		},
		"no access policy": {
			set:   onVault(withToken(failWith(403, "Forbidden", "AccessDenied"))),
			kinds: []string{"AccessDenied"}, says: "Forbidden/AccessDenied", status: 403, most: soon,
		},
		"forbidden without a code": {
			set:   onVault(withToken(text(403, "<html>"+fakeazure.ErrorText))),
			kinds: []string{"AccessDenied"}, says: "HTTP 403 Forbidden)", status: 403, most: soon,
		},
		"firewall": {
			set:   onVault(withToken(failWith(403, "Forbidden", "ForbiddenByFirewall"))),
			kinds: []string{"Firewall"}, says: "firewall", status: 403, most: soon,
		},
		"firewall before the challenge": {
			set:   onVault(failWith(403, "Forbidden", "ForbiddenByConnection")),
			kinds: []string{"Firewall"}, says: "firewall", status: 403, most: soon,
		},
		"no secret": {
			order: order{Secret: "no-such-secret"},
			kinds: []string{"SecretNotFound"}, says: "/secrets/no-such-secret: secret not found", status: 404, most: soon,
		},
		"token not accepted": {
			set:   onVault(withToken(challenge(`Bearer authorization="https://login.microsoftonline.com/` + fakeazure.Tenant + `", resource="https://vault.azure.net"`))),
			kinds: []string{"TokenRefused"}, says: "by the vault", status: 401, most: soon,
		},
		"no challenge": {
			set:   onVault(text(401, fakeazure.ErrorText)),
			kinds: []string{"Unexpected"}, says: "not the challenge of a Key Vault", status: 401, most: soon,
		},
		"challenge without a tenant": { // the SDK would panic
			set:   onVault(challenge(`Bearer authorization="https://login.microsoftonline.com", resource="https://vault.azure.net"`)),
			kinds: []string{"Unexpected"}, says: "not the challenge", status: 401, most: soon,
		},
		"challenge for another resource": { // or a token would go to whoever answers
			set:   onVault(challenge(`Bearer authorization="https://login.microsoftonline.com/` + fakeazure.Tenant + `", resource="https://evil.example"`)),
			kinds: []string{"Unexpected"}, says: "not the challenge", status: 401, most: soon,
		},
		"redirect": {
			set:   onVault(withToken(redirect)),
			kinds: []string{"Unexpected"}, status: 307, most: soon,
		},
		"not JSON": {
			set:   onVault(withToken(text(200, "<html>"+fakeazure.ErrorText))),
			kinds: []string{"Unexpected"}, says: "not a secret", status: 200, most: soon,
		},
		"no value": {
			set:   onVault(withToken(text(200, `{"id":"https://testvault.vault.azure.net/secrets/a/b"}`))),
			kinds: []string{"Unexpected"}, says: "no value", most: soon,
		},
		"answer without end": {
			set:   onVault(withToken(endless)),
			kinds: []string{"Unexpected"}, says: "more than 1048576 bytes from " + testVault, most: soon,
		},
		"out of order": {
			set:   onVault(failWith(500, "InternalServerError", "")),
			kinds: []string{"VaultUnreachable"}, says: "out of order", status: 500,
		},
		"vault hangs": {
			set:   onVault(withToken(fakeazure.Hang)),
			kinds: []string{"DeadlineExceeded", "Timeout", "VaultUnreachable"}, says: testVault, least: 9 * time.Second,
		},
		"cancelled": {
			set: onVault(fakeazure.Hang), order: order{CancelAfter: time.Second},
			kinds: []string{"Canceled"}, most: soon,
		},
	}
}

func identityErrors() map[string]errorCase {
	return map[string]errorCase{
		"identity endpoint hangs": {
			set:   onIdentity(fakeazure.Hang),
			kinds: []string{"DeadlineExceeded", "IdentityUnreachable", "Timeout"}, says: "127.0.0.1", least: 9 * time.Second,
		},
		"no identity endpoint": {
			env:   []string{"IDENTITY_ENDPOINT=http://127.0.0.1:1/msi/token"},
			kinds: []string{"IdentityUnreachable"}, says: "127.0.0.1:1: connection refused",
		},
		"no such identity": {
			env:   []string{"IDENTITY_HEADER=wrong"},
			kinds: []string{"TokenRefused"}, says: "AZURE_CLIENT_ID", status: 400, most: soon,
		},
		"identity endpoint out of order": {
			set:   onIdentity(text(500, fakeazure.ErrorText)),
			kinds: []string{"IdentityUnreachable"}, says: "out of order", status: 500,
		},
		"identity endpoint answers nonsense": {
			set:   onIdentity(text(200, fakeazure.ErrorText)),
			kinds: []string{"Unexpected"}, says: "no usable token", status: 200, most: soon,
		},
		"identity endpoint answers without end": {
			set:   onIdentity(endless),
			kinds: []string{"Unexpected"}, says: "more than 1048576 bytes from 127.0.0.1", most: soon,
		},
		"identity endpoint is no address": {
			env:   []string{"IDENTITY_ENDPOINT=%zz " + fakeazure.ErrorText},
			kinds: []string{"IdentityConfig"}, says: "check IDENTITY_ENDPOINT", most: soon,
		},
		"identity endpoint redirects": {
			set:   onIdentity(redirect),
			kinds: []string{"TokenRefused"}, status: 307, most: soon,
		},
		"workload identity refused": {
			workload: true,
			set: onLogin(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet {
					return false
				}
				fakeazure.FailLogin(w, 401, "invalid_client", 700213)
				return true
			}),
			kinds: []string{"TokenRefused"}, says: "invalid_client/AADSTS700213", status: 401, most: soon,
		},
		"workload identity without a client": {
			workload: true, env: []string{"AZURE_CLIENT_ID="},
			kinds: []string{"IdentityConfig"}, says: "AZURE_CLIENT_ID is not set", most: soon,
		},
		"workload identity without its file": {
			workload: true, env: []string{"AZURE_FEDERATED_TOKEN_FILE=/no/such/file"},
			kinds: []string{"IdentityConfig"}, says: "/no/such/file", most: soon,
		},
		"workload identity of another tenant": {
			workload: true, env: []string{"AZURE_TENANT_ID=99999999-2222-3333-4444-555555555555"},
			kinds: []string{"IdentityConfig"}, says: "AZURE_TENANT_ID", most: soon,
		},
		"login hangs": {
			workload: true, set: onLogin(fakeazure.Hang),
			kinds: []string{"DeadlineExceeded", "IdentityUnreachable", "Timeout"}, says: fakeazure.LoginHost, least: 9 * time.Second,
		},
	}
}

func networkErrors(t *testing.T) map[string]errorCase {
	noProxy := "HTTPS_PROXY="
	return map[string]errorCase{
		"unknown authority": {
			set:   certificate(fakeazure.CertificateUnknownAuthority),
			kinds: []string{"Certificate"}, says: "no authority", most: soon,
		},
		"certificate of another host": {
			set:   certificate(fakeazure.CertificateOtherHost),
			kinds: []string{"Certificate"}, says: "another host's", most: soon,
		},
		"expired certificate": {
			set:   certificate(fakeazure.CertificateExpired),
			kinds: []string{"Certificate"}, says: "expired", most: soon,
		},
		"no such vault": {
			env: []string{noProxy}, order: order{Resolver: serveNoNames(t)},
			kinds: []string{"VaultNotFound"}, says: "vault name wrong: it does not resolve: there is no " + testVault, most: soon,
		},
		"no such vault, says the proxy": {
			order: order{URL: "https://other.vault.azure.net"},
			kinds: []string{"VaultUnreachable"}, says: "the proxy answered HTTP 502",
		},
		"proxy refuses": {
			set:   onProxy(proxyStatus(http.StatusProxyAuthRequired)),
			kinds: []string{"VaultUnreachable"}, says: "the proxy answered HTTP 407", most: soon,
		},
		"proxy hangs": {
			set:   onProxy(fakeazure.Hang),
			kinds: []string{"DeadlineExceeded", "Timeout", "VaultUnreachable"}, says: testVault, least: 9 * time.Second,
		},
		"no proxy there": {
			env:   []string{"HTTPS_PROXY=http://127.0.0.1:1"},
			kinds: []string{"VaultUnreachable"}, says: "the proxy that the environment names",
		},
	}
}
