package fakeazure

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// serveVault answers GET /secrets/NAME/[VERSION]?api-version=V as Key Vault does.
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
	name, version, _ := strings.Cut(strings.Trim(strings.TrimPrefix(r.URL.Path, "/secrets/"), "/"), "/")
	a.mu.Lock()
	versions := slices.Clone(a.secrets[name])
	a.mu.Unlock()
	number := len(versions) - 1
	if version != "" && version != "versions" {
		number = slices.IndexFunc(versions, func(s Secret) bool { return s.version == version })
	}
	switch {
	case r.Method != http.MethodGet || r.URL.Query().Get("api-version") == "":
		Fail(w, http.StatusBadRequest, "BadParameter", "")
	case number < 0:
		Fail(w, http.StatusNotFound, "SecretNotFound", "")
	case version == "versions":
		a.serveVersions(w, r, name, versions)
	case versions[number].Disabled:
		Fail(w, http.StatusForbidden, "Forbidden", "SecretDisabled")
	default:
		answer := a.properties(name, versions[number])
		answer["value"] = versions[number].Value
		writeJSON(w, http.StatusOK, answer)
	}
}

// serveVersions answers GET /secrets/NAME/versions, a page of two at a time.
func (a *Azure) serveVersions(w http.ResponseWriter, r *http.Request, name string, versions []Secret) {
	const page = 2
	from, _ := strconv.Atoi(r.URL.Query().Get("$skiptoken"))
	var items []map[string]any
	for _, s := range versions[min(from, len(versions)):min(from+page, len(versions))] {
		items = append(items, a.properties(name, s))
	}
	answer := map[string]any{"value": items, "nextLink": nil}
	if from+page < len(versions) {
		answer["nextLink"] = fmt.Sprintf("https://%s%s?api-version=%s&$skiptoken=%d",
			a.vaultHost, r.URL.Path, r.URL.Query().Get("api-version"), from+page)
	}
	writeJSON(w, http.StatusOK, answer)
}

// properties are what is told of a secret without its value.
func (a *Azure) properties(name string, s Secret) map[string]any {
	attributes := map[string]any{
		"enabled": !s.Disabled, "created": s.created.Unix(), "updated": s.created.Unix(),
		"recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90,
	}
	if !s.Expires.IsZero() {
		attributes["exp"] = s.Expires.Unix()
	}
	if !s.NotBefore.IsZero() {
		attributes["nbf"] = s.NotBefore.Unix()
	}
	answer := map[string]any{"id": "https://" + a.vaultHost + "/secrets/" + name + "/" + s.version, "attributes": attributes}
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
