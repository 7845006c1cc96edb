// Command ocsp-responder shows how a service reads its secrets from a vault: it needs three, starts only
// with all of them, answers /healthz, follows changes of the vault without a restart, and runs on
// environment variables alone where no vault is configured. It answers no OCSP requests.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mazevault/vault-tool/keysource/azurekeyvault"
	"github.com/mazevault/vault-tool/provider"
)

const (
	listenEnv     = "OCSP_LISTEN"
	defaultListen = "127.0.0.1:8889"

	// shutdownGrace is how long requests may take to end.
	shutdownGrace = 5 * time.Second

	// headerTimeout keeps a slow client from holding a connection.
	headerTimeout = 5 * time.Second
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, log)
	stop()
	if err != nil {
		log.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, log *slog.Logger) (err error) {
	secrets, err := provider.FromEnv(ctx, provider.WithDotenv(), provider.WithAzureKeyVault(azurekeyvault.New))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, secrets.Close()) }()
	r := &responder{log: log, secrets: secrets}
	if err := r.start(); err != nil {
		return err
	}

	// The watcher ends before the secrets are closed.
	watching, stopWatching := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		_ = secrets.Watch(watching, r.changed) // ends with its context
	}()
	defer func() { stopWatching(); <-watched }()
	stopReloading := reloadOnHangup(watching, secrets, log)
	defer stopReloading()
	return r.serve(ctx)
}

// serve answers requests until ctx ends, and then lets those under way end.
func (r *responder) serve(ctx context.Context) error {
	address := os.Getenv(listenEnv)
	if address == "" {
		address = defaultListen
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: r.routes(), ReadHeaderTimeout: headerTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	r.log.Info("listening", "address", listener.Addr().String())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	r.log.Info("shutting down")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// reloadOnHangup makes SIGHUP look at the vault at once. Watch does without: this is for operators who
// are used to the signal.
func reloadOnHangup(ctx context.Context, secrets *provider.Provider, log *slog.Logger) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
				if _, err := secrets.Reload(ctx); err != nil {
					log.Warn("reload failed", "error", err)
				}
			}
		}
	}()
	return func() { signal.Stop(hangups) }
}
