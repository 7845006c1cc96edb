// Package fakeazure stands in for Azure in tests: a Key Vault, Microsoft Entra and a host's identity
// endpoint, all on the loopback interface.
//
// A client under test is not changed and has no hook. It runs in a process of its own with the
// environment of [Azure.Env] or [Azure.WorkloadEnv]: HTTPS_PROXY leads its connections to the real
// names (https://NAME.vault.azure.net, https://login.microsoftonline.com) here, and SSL_CERT_FILE makes
// it trust the authority that issued the certificates of this package. The Go runtime reads both once in
// a process, and SSL_CERT_FILE not at all on macOS and Windows.
package fakeazure

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the fake issues and expects. The first four must never show up in a message.
const (
	Token          = "fake-token.CANARY-TOKEN-8c1f.signature"
	IdentityHeader = "CANARY-IDENTITY-HEADER-51d2"
	Assertion      = "fake-assertion.CANARY-ASSERTION-77aa.signature"
	ErrorText      = "CANARY-ERROR-TEXT-e09b" // in the message of every error answer

	Tenant    = "11111111-2222-3333-4444-555555555555"
	ClientID  = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	LoginHost = "login.microsoftonline.com"
)

// Secret is a secret of the vault.
type Secret struct {
	Value     string
	Tags      map[string]string
	Disabled  bool
	Expires   time.Time // zero: never
	NotBefore time.Time // zero: always

	version string
	created time.Time
}

// Handler replaces the answer to a request where it returns true.
type Handler func(http.ResponseWriter, *http.Request) bool

// Faults are what the fake does otherwise than Azure in good order.
type Faults struct {
	Vault, Login, Identity Handler
	Proxy                  Handler // of CONNECT requests
	Certificate            CertificateFault
}

// Azure is the running fake.
type Azure struct {
	vaultHost string
	dir       string
	authority *authority
	servers   *httptest.Server // TLS, for all names
	identity  *httptest.Server
	proxy     *httptest.Server

	mu       sync.Mutex
	secrets  map[string][]Secret // the versions of each, the newest last
	requests []string
	faults   Faults
}

// Start runs a fake for the vault at vaultHost ("NAME.vault.azure.net"), the only one there is, until the
// test ends.
func Start(t testing.TB, vaultHost string) *Azure {
	t.Helper()
	a := &Azure{vaultHost: vaultHost, dir: t.TempDir(), secrets: map[string][]Secret{}}
	var err error
	if a.authority, err = newAuthority(); err != nil {
		t.Fatal(err)
	}
	a.write(t, "ca.pem", a.authority.pem())
	a.write(t, "federated-token", []byte(Assertion))
	a.servers = httptest.NewUnstartedServer(http.HandlerFunc(a.serveTLS))
	a.servers.Config.ErrorLog = discardLog()
	a.servers.TLS = a.tlsConfig()
	a.servers.StartTLS()
	a.identity = httptest.NewServer(http.HandlerFunc(a.serveIdentity))
	a.proxy = httptest.NewServer(http.HandlerFunc(a.serveProxy))
	t.Cleanup(func() {
		for _, s := range []*httptest.Server{a.proxy, a.identity, a.servers} {
			s.CloseClientConnections()
			s.Close()
		}
	})
	return a
}

func (a *Azure) write(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(a.dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Put stores a new version of a secret.
func (a *Azure) Put(name string, s Secret) {
	a.mu.Lock()
	defer a.mu.Unlock()
	number := len(a.secrets[name])
	s.version = fmt.Sprintf("4387e9f3d6e14c459867679a90fd%04x", number)
	s.created = time.Unix(1700000000, 0).Add(time.Duration(number) * time.Minute)
	a.secrets[name] = append(a.secrets[name], s)
}

// Disable disables a version of a secret, counted from 0.
func (a *Azure) Disable(name string, version int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.secrets[name][version].Disabled = true
}

// Break sets what goes wrong from now on.
func (a *Azure) Break(f Faults) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = f
}

func (a *Azure) broken() Faults {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.faults
}

// answers tells whether h has answered.
func (h Handler) answers(w http.ResponseWriter, r *http.Request) bool { return h != nil && h(w, r) }

// Requests returns what was asked for so far, in order: "vault PATH", "vault PATH with token",
// "identity QUERY", "login PATH", "connect HOST".
func (a *Azure) Requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.requests...)
}

func (a *Azure) note(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, fmt.Sprintf(format, args...))
}

// Env is the environment of a client with a managed identity in the manner of App Service. Nothing of
// the test's own environment is in it but PATH and the temporary directory.
func (a *Azure) Env() []string {
	return append(a.network(), "IDENTITY_ENDPOINT="+a.identity.URL+"/msi/token", "IDENTITY_HEADER="+IdentityHeader)
}

// WorkloadEnv is the environment of a client with workload identity.
func (a *Azure) WorkloadEnv() []string {
	return append(a.network(),
		"AZURE_FEDERATED_TOKEN_FILE="+filepath.Join(a.dir, "federated-token"),
		"AZURE_TENANT_ID="+Tenant,
		"AZURE_CLIENT_ID="+ClientID,
		"AZURE_AUTHORITY_HOST=https://"+LoginHost+"/")
}

func (a *Azure) network() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"TMPDIR=" + os.TempDir(),
		"HOME=" + a.dir,
		"HTTPS_PROXY=" + a.proxy.URL,
		"HTTP_PROXY=" + a.proxy.URL,
		"SSL_CERT_FILE=" + filepath.Join(a.dir, "ca.pem"),
		"SSL_CERT_DIR=" + filepath.Join(a.dir, "none"),
	}
}

// Canaries are the texts that no message may contain, the values of all secrets among them.
func (a *Azure) Canaries() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	texts := []string{Token, IdentityHeader, Assertion, ErrorText}
	for _, versions := range a.secrets {
		for _, s := range versions {
			if s.Value != "" {
				texts = append(texts, s.Value)
			}
		}
	}
	return texts
}

// Fail answers with an error in Key Vault's form.
func Fail(w http.ResponseWriter, status int, code, inner string) {
	answer := map[string]any{"code": code, "message": ErrorText}
	if inner != "" {
		answer["innererror"] = map[string]any{"code": inner}
	}
	writeJSON(w, status, map[string]any{"error": answer})
}

// FailLogin answers with an error in Microsoft Entra's form.
func FailLogin(w http.ResponseWriter, status int, code string, number int) {
	writeJSON(w, status, map[string]any{"error": code, "error_description": ErrorText, "error_codes": []int{number}})
}

// Hang answers nothing until the client gives up.
func Hang(_ http.ResponseWriter, r *http.Request) bool {
	<-r.Context().Done()
	return true
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // of a test's own making
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (a *Azure) serveTLS(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimSuffix(r.Host, ":443") {
	case a.vaultHost:
		a.serveVault(w, r)
	case LoginHost:
		a.serveLogin(w, r)
	default:
		http.Error(w, "no such host", http.StatusMisdirectedRequest)
	}
}
