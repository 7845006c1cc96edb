package fakeazure

import (
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// serveVault answers GET /secrets/NAME/?api-version=V as Key Vault does.
func (a *Azure) serveVault(w http.ResponseWriter, r *http.Request) {
	bearer := r.Header.Get("Authorization")
	if bearer == "" {
		a.note("vault %s", r.URL.Path)
	} else {
		a.note("vault %s with token", r.URL.Path)
	}
	if a.broken().Vault.answers(w, r) {
		return
	}
	if bearer != "Bearer "+Token {
		resource := "https://" + a.vaultHost[strings.IndexByte(a.vaultHost, '.')+1:]
		w.Header().Set("WWW-Authenticate", `Bearer authorization="https://`+LoginHost+`/`+Tenant+`", resource="`+resource+`"`)
		Fail(w, http.StatusUnauthorized, "Unauthorized", "")
		return
	}
	name := strings.Trim(strings.TrimPrefix(r.URL.Path, "/secrets/"), "/")
	a.mu.Lock()
	secret, ok := a.secrets[name]
	a.mu.Unlock()
	switch {
	case r.Method != http.MethodGet || r.URL.Query().Get("api-version") == "":
		Fail(w, http.StatusBadRequest, "BadParameter", "")
	case !ok:
		Fail(w, http.StatusNotFound, "SecretNotFound", "")
	case secret.Disabled:
		Fail(w, http.StatusForbidden, "Forbidden", "SecretDisabled")
	default:
		writeJSON(w, http.StatusOK, a.secretAnswer(name, secret))
	}
}

func (a *Azure) secretAnswer(name string, s Secret) map[string]any {
	attributes := map[string]any{
		"enabled": true, "created": 1700000000, "updated": 1700000000,
		"recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90,
	}
	if !s.Expires.IsZero() {
		attributes["exp"] = s.Expires.Unix()
	}
	if !s.NotBefore.IsZero() {
		attributes["nbf"] = s.NotBefore.Unix()
	}
	answer := map[string]any{
		"value":      s.Value,
		"id":         "https://" + a.vaultHost + "/secrets/" + name + "/4387e9f3d6e14c459867679a90fd0f79",
		"attributes": attributes,
	}
	if s.Tags != nil {
		answer["tags"] = s.Tags
	}
	return answer
}

// serveLogin answers the two requests of a token exchange (OpenID configuration, then the OAuth 2.0
// client credentials grant with an assertion, RFC 7523).
func (a *Azure) serveLogin(w http.ResponseWriter, r *http.Request) {
	a.note("login %s", r.URL.Path)
	if a.broken().Login.answers(w, r) {
		return
	}
	base := "https://" + LoginHost + "/" + Tenant
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		writeJSON(w, http.StatusOK, map[string]any{
			"authorization_endpoint": base + "/oauth2/v2.0/authorize",
			"token_endpoint":         base + "/oauth2/v2.0/token",
			"issuer":                 base + "/v2.0",
		})
	case r.URL.Path == "/"+Tenant+"/oauth2/v2.0/token" && a.goodExchange(r):
		writeJSON(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3600, "access_token": Token})
	default:
		FailLogin(w, http.StatusBadRequest, "invalid_request", 900144)
	}
}

func (a *Azure) goodExchange(r *http.Request) bool {
	resource := "https://" + a.vaultHost[strings.IndexByte(a.vaultHost, '.')+1:]
	return r.ParseForm() == nil &&
		r.PostForm.Get("client_id") == ClientID &&
		r.PostForm.Get("client_assertion") == Assertion &&
		r.PostForm.Get("grant_type") == "client_credentials" &&
		strings.Contains(r.PostForm.Get("scope"), resource+"/.default")
}

// serveIdentity answers as the identity endpoint of App Service.
func (a *Azure) serveIdentity(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a.note("identity resource=%s client_id=%s", q.Get("resource"), q.Get("client_id"))
	if a.broken().Identity.answers(w, r) {
		return
	}
	if r.Header.Get("X-Identity-Header") != IdentityHeader || q.Get("api-version") != "2019-08-01" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"statusCode": http.StatusBadRequest, "message": ErrorText})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": Token, "token_type": "Bearer", "resource": q.Get("resource"),
		"expires_on": time.Now().Add(time.Hour).Unix(), "client_id": q.Get("client_id"),
	})
}

// serveProxy connects the names that there are to the TLS server.
func (a *Azure) serveProxy(w http.ResponseWriter, r *http.Request) {
	a.note("connect %s", r.Host)
	if a.broken().Proxy.answers(w, r) {
		return
	}
	if r.Method != http.MethodConnect {
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	if r.Host != a.vaultHost+":443" && r.Host != LoginHost+":443" {
		http.Error(w, "no such name", http.StatusBadGateway)
		return
	}
	server, err := net.Dial("tcp", a.servers.Listener.Addr().String())
	if err != nil {
		http.Error(w, "cannot connect", http.StatusBadGateway)
		return
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = server.Close()
		return
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go pipe(server, buffered, client)
	go pipe(client, server, server)
}

// pipe copies until either end closes, and closes both.
func pipe(to net.Conn, from io.Reader, fromConn net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = fromConn.Close()
}
