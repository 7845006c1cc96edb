package provider_test

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/mazevault/vault-tool/provider"
)

// A key is used where it stands, in locked memory; no string of it is made.
func ExampleProvider_Use() {
	payload := `{"SIGNING_KEY":"0123456789abcdef"}`
	secrets, err := provider.Open(context.Background(), provider.Config{Load: vaultOf(&payload)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()
	err = secrets.Use("SIGNING_KEY", func(key []byte) error {
		fmt.Println(len(key), "bytes")
		return nil
	})
	fmt.Println(err)
	// Output:
	// 16 bytes
	// <nil>
}

// What decodes in place works on a copy.
func ExampleProvider_UseCopy() {
	payload := `{"CERTIFICATE":"aGVsbG8="}`
	secrets, err := provider.Open(context.Background(), provider.Config{Load: vaultOf(&payload)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()
	err = secrets.UseCopy("CERTIFICATE", func(text []byte) error {
		n, err := base64.StdEncoding.Decode(text, text)
		fmt.Printf("%s\n", text[:n])
		return err
	})
	fmt.Println(err)
	// Output:
	// hello
	// <nil>
}

// All that is missing is told at once, at the start.
func ExampleProvider_Require() {
	payload := `{"DATABASE_URL":"postgres://one","EMPTY":""}`
	secrets, err := provider.Open(context.Background(), provider.Config{Load: vaultOf(&payload)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()
	fmt.Println(secrets.Require("DATABASE_URL", "EMPTY", "NO_SUCH_SECRET"))
	// Output: provider: required secrets missing: NO_SUCH_SECRET; set but empty: EMPTY
}

// A watcher is told what changed, by name.
func ExampleProvider_Watch() {
	payload := `{"A":"1"}`
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	secrets, err := provider.Open(ctx, provider.Config{Load: vaultOf(&payload)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()
	payload = `{"A":"2","B":"1"}` // somebody replaces the vault
	_ = secrets.Watch(ctx, func(c provider.Change) {
		fmt.Println("added", c.Added, "changed", c.Changed, "error", c.Err)
		stop()
	})
	fmt.Println(secrets.Get("A"))
	// Output:
	// added [B] changed [A] error <nil>
	// 2
}

// A field of type Secret does not show itself.
func ExampleSecret() {
	cfg := struct {
		User     string
		Password provider.Secret
	}{"app", "hunter2"}
	fmt.Printf("%+v\n", cfg)
	fmt.Println(len(cfg.Password.Reveal()))
	// Output:
	// {User:app Password:[redacted]}
	// 7
}

// A tenant gets its own secrets, and those that all tenants share.
func ExampleProvider_Scope() {
	payload := `{"acme/API_KEY":"of acme","API_KEY":"of nobody","SMTP_HOST":"for all","other/API_KEY":"of another"}`
	secrets, err := provider.Open(context.Background(), provider.Config{Load: vaultOf(&payload)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()
	acme := secrets.Scope("acme")
	fmt.Println(acme.Get("API_KEY"), acme.Names())
	fmt.Println(acme.OrShared().Get("SMTP_HOST"), acme.OrShared().Names())
	// Output:
	// of acme [API_KEY]
	// for all [API_KEY SMTP_HOST]
}
