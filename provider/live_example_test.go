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
