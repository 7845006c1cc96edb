// Package providerhttp shows how a provider is: to a prober over HTTP, and as counters for package expvar.
//
//	mux.Handle("GET /healthz", providerhttp.Health(secrets, "DATABASE_URL"))
//	expvar.Publish("vault", providerhttp.Vars(secrets))
//
// Neither shows a name, a value, a path or the text of an error, so that both may be open to whoever may reach the service.
//
// It is a package of its own so that a service without HTTP links none: package provider does not import net/http. Package
// expvar, which is imported here, adds /debug/vars to http.DefaultServeMux.
package providerhttp

import (
	"encoding/json"
	"expvar"
	"net/http"
	"time"

	"github.com/mazevault/vault-tool/provider"
)

// The words for how a provider is.
const (
	StatusOK       = "ok"       // the secrets are as in the vault
	StatusDegraded = "degraded" // the vault cannot be read again: the secrets are as they were, but a restart would fail
	StatusFailing  = "failing"  // the provider is closed, or a required secret has no value
)

// Answer is what Health answers, as JSON.
type Answer struct {
	Status     string     `json:"status"`               // one of the constants
	Vault      bool       `json:"vault"`                // false where the environment alone answers
	Generation uint64     `json:"generation,omitempty"` // counts the vaults loaded so far, from 1
	Loaded     *time.Time `json:"loaded,omitempty"`     // when the one in service was loaded
	Checked    *time.Time `json:"checked,omitempty"`    // when it was last looked at
	Warnings   int        `json:"warnings,omitempty"`   // how many there are; see provider.Status
}

// Health returns a handler for health checks: 200 while the provider has its secrets and all of the required ones have a
// value, else 503. A vault that cannot be read again is still a 200, with [StatusDegraded]: a prober that restarted the service for it would
// make a working service one that does not start.
func Health(p *provider.Provider, required ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		answer := look(p, required)
		code := http.StatusOK
		if answer.Status == StatusFailing {
			code = http.StatusServiceUnavailable
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(answer) // the client has gone
	})
}

func look(p *provider.Provider, required []string) Answer {
	status, err := p.Status()
	if err != nil {
		return Answer{Status: StatusFailing}
	}
	a := Answer{
		Status: StatusOK, Vault: status.Vault, Generation: status.Generation,
		Loaded: moment(status.Loaded), Checked: moment(status.Checked), Warnings: len(status.Warnings),
	}
	switch {
	case p.Require(required...) != nil:
		a.Status = StatusFailing
	case status.Problem != nil:
		a.Status = StatusDegraded
	}
	return a
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Vars returns a variable with numbers about the provider, an object: "secrets", "generation", "looks", "failures", "problem" (0 or 1),
// "warnings", "loaded" and "checked" (Unix seconds, 0 for never). It is null when the provider is closed.
func Vars(p *provider.Provider) expvar.Func {
	return func() any {
		s, err := p.Status()
		if err != nil {
			return nil
		}
		problem := 0
		if s.Problem != nil {
			problem = 1
		}
		return map[string]any{
			"secrets": s.Secrets, "generation": s.Generation, "looks": s.Looks, "failures": s.Failures, "problem": problem,
			"warnings": len(s.Warnings), "loaded": unix(s.Loaded), "checked": unix(s.Checked),
		}
	}
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
