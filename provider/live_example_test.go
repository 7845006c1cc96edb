package provider_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mazevault/vault-tool/provider"
	"github.com/mazevault/vault-tool/vaultfile"
)

// vaultOf stands for a vault file in the examples.
func vaultOf(payload *string) func(context.Context) (*vaultfile.Vault, error) {
	return func(context.Context) (*vaultfile.Vault, error) { return vaultfile.FromJSON([]byte(*payload)) }
}

// A service that goes on with what it has when a new vault lacks a secret, and says so in its health check.
func ExampleProvider_Health() {
	payload := `{"DATABASE_URL":"postgres://one","API_KEY":"k"}`
	ctx := context.Background()
	secrets, err := provider.Open(ctx, provider.Config{Load: vaultOf(&payload), Require: []string{"DATABASE_URL", "API_KEY"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()

	payload = `{"DATABASE_URL":"postgres://two"}`
	_, _ = secrets.Reload(ctx)
	fmt.Println(secrets.Get("DATABASE_URL"))
	fmt.Println(secrets.Health())
	// Output:
	// postgres://one
	// provider: required secrets missing: API_KEY
}

// A service that accepts a client's credential from before its last change for an hour.
func ExampleProvider_Previous() {
	payload := `{"CLIENT_TOKEN":"old"}`
	ctx := context.Background()
	secrets, err := provider.Open(ctx, provider.Config{Load: vaultOf(&payload), Grace: time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()
	payload = `{"CLIENT_TOKEN":"new"}`
	change, _ := secrets.Reload(ctx)
	fmt.Println("changed:", change.Changed)

	denied := errors.New("denied")
	accept := func(token string) error {
		is := func(secret []byte) error {
			if string(secret) != token { // a service compares with crypto/subtle
				return denied
			}
			return nil
		}
		if err := secrets.Use("CLIENT_TOKEN", is); !errors.Is(err, denied) {
			return err
		}
		return secrets.Previous("CLIENT_TOKEN", is)
	}
	fmt.Println(accept("new"), accept("old"), accept("other"))
	// Output:
	// changed: [CLIENT_TOKEN]
	// <nil> <nil> denied
}

// Two secrets that belong together come from one snapshot.
func ExampleProvider_View() {
	payload := `{"USER":"app","PASSWORD":"p"}`
	secrets, err := provider.Open(context.Background(), provider.Config{Load: vaultOf(&payload)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()
	_ = secrets.View(func(v *provider.View) error {
		fmt.Println(v.Get("USER"), v.Get("PASSWORD"))
		return nil
	})
	// Output: app p
}

// A pool of connections that is made anew when its secret changes.
func ExampleNewUpdater() {
	payload := `{"DATABASE_URL":"postgres://one"}`
	ctx := context.Background()
	secrets, err := provider.Open(ctx, provider.Config{Load: vaultOf(&payload)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()

	type pool struct{ dsn string } // a *sql.DB, in a service
	pools, err := provider.NewUpdater(ctx, secrets, []string{"DATABASE_URL"},
		func(_ context.Context, v *provider.View) (*pool, error) { return &pool{v.Get("DATABASE_URL")}, nil },
		func(old *pool) { fmt.Println("closing", old.dsn) })
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pools.Close()
	_ = pools.Use(func(p *pool) error {
		fmt.Println("using", p.dsn)
		return nil
	})
	// Output:
	// using postgres://one
	// closing postgres://one
}

// The configuration of a service, in one snapshot.
func ExampleProvider_Fill() {
	payload := `{"DATABASE_URL":"postgres://one","PORT":"8443"}`
	ctx := context.Background()
	secrets, err := provider.Open(ctx, provider.Config{Load: vaultOf(&payload)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()

	var cfg struct {
		DSN     provider.Secret `vault:"DATABASE_URL,required"`
		Port    int             `vault:"PORT"`
		Timeout time.Duration   `vault:"TIMEOUT"`
	}
	cfg.Timeout = 30 * time.Second // where it is not set
	fmt.Println(secrets.Fill(ctx, &cfg))
	fmt.Println(cfg)
	// Output:
	// <nil>
	// {[redacted] 8443 30s}
}

// A credential that is changed at both ends while the service runs: after a refusal the vault is asked once more.
func ExampleProvider_WithRotation() {
	payload := `{"PASSWORD":"old"}`
	ctx := context.Background()
	secrets, err := provider.Open(ctx, provider.Config{Load: vaultOf(&payload)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()

	payload = `{"PASSWORD":"new"}` // the database has it already
	denied := errors.New("access denied")
	err = secrets.WithRotation(ctx, "PASSWORD", func(_ context.Context, password []byte) error {
		if string(password) != "new" {
			return denied
		}
		return nil
	}, func(err error) bool { return errors.Is(err, denied) })
	fmt.Println(err)
	// Output: <nil>
}
