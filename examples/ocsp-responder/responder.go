package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/mazevault/vault-tool/provider"
)

// The secrets that the service needs.
const (
	masterKey    = "MAZEVAULT_MASTER_KEY" // decrypts the stored private keys of the CA
	dbConnection = "DB_CONNECTION"        // PostgreSQL connection string
	redisURL     = "REDIS_URL"            // address of the Redis cache
)

var required = [...]string{masterKey, dbConnection, redisURL}

// responder is the service. What it makes out of a secret it makes anew when the secret changes.
type responder struct {
	log     *slog.Logger
	secrets *provider.Provider

	wrappingKey atomic.Pointer[[sha256.Size]byte] // made from the master key
	connections atomic.Int64                      // how often the pools were opened, for /healthz
}

// start makes sure of the secrets and opens what needs them.
func (r *responder) start() error {
	if err := r.secrets.Require(required[:]...); err != nil {
		return err
	}
	status, err := r.secrets.Status()
	if err != nil {
		return err
	}
	r.log.Info("secrets are there", "mode", mode(status), "in_vault", status.Secrets)
	if status.NotLocked != nil {
		r.log.Warn("secrets may reach swap space: memory cannot be locked; raise LimitMEMLOCK", "error", status.NotLocked)
	}
	if status.ShortKey {
		r.log.Warn("the key of the vault is short; vault-tool init makes a strong one")
	}
	r.connect()
	return r.deriveWrappingKey()
}

// deriveWrappingKey uses the master key where it stands, in locked memory, and asks for no string of it.
// What HMAC keeps of its key until it is collected, and the result, are ordinary memory all the same.
func (r *responder) deriveWrappingKey() error {
	return r.secrets.Use(masterKey, func(secret []byte) error {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte("ocsp-responder wrapping key"))
		r.wrappingKey.Store((*[sha256.Size]byte)(mac.Sum(nil)))
		return nil
	})
}

// connect stands for opening the pools of database and cache. Both addresses come from one snapshot.
// Drivers want strings, so this is where Get is right.
func (r *responder) connect() {
	_ = r.secrets.View(func(v *provider.View) error {
		_, _ = v.Get(dbConnection), v.Get(redisURL)
		r.connections.Add(1)
		return nil
	})
}

// changed is told of every change of the vault: by name, never by value.
func (r *responder) changed(c provider.Change) {
	touched := slices.Concat(c.Added, c.Changed, c.Removed)
	if c.Warning != nil {
		r.log.Warn("about the vault", "warning", c.Warning)
	}
	switch {
	case c.Err != nil:
		r.log.Warn("the vault cannot be read again; going on with the secrets as they were", "error", c.Err)
	case len(touched) == 0 && c.Warning == nil:
		r.log.Info("the vault can be read again")
	}
	if len(touched) > 0 {
		r.log.Info("secrets changed", "added", c.Added, "changed", c.Changed, "removed", c.Removed)
	}
	if slices.Contains(touched, dbConnection) || slices.Contains(touched, redisURL) {
		r.connect()
	}
	if slices.Contains(touched, masterKey) {
		if err := r.deriveWrappingKey(); err != nil {
			r.log.Error("no wrapping key", "error", err)
		}
	}
}

func (r *responder) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", r.health)
	return mux
}

// health is the answer of /healthz. It has names and where their values come from, and no value.
type health struct {
	Status      string            `json:"status"` // "ok"; "degraded": running, but a restart would fail; "failing": a secret is missing
	Mode        string            `json:"mode"`   // "vault" or "environment"
	Secrets     map[string]string `json:"secrets"`
	Generation  uint64            `json:"generation"` // of the vault's content, from 1; 0 without a vault
	Connections int64             `json:"connections"`
	Problem     string            `json:"problem,omitempty"`
}

func (r *responder) health(w http.ResponseWriter, _ *http.Request) {
	h := health{Status: "ok", Secrets: make(map[string]string), Connections: r.connections.Load()}
	status, err := r.secrets.Status()
	if err == nil {
		err = status.Problem
	}
	if err != nil {
		h.Status, h.Problem = "degraded", err.Error()
	}
	h.Mode, h.Generation = mode(status), status.Generation
	for _, name := range required {
		source, _ := r.secrets.SourceOf(name) // closed: none
		h.Secrets[name] = source.String()
	}
	code := http.StatusOK
	if err := r.secrets.Require(required[:]...); err != nil {
		h.Status, h.Problem, code = "failing", err.Error(), http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(h) // the client has gone
}

func mode(status provider.Status) string {
	if status.Vault {
		return "vault"
	}
	return "environment"
}
