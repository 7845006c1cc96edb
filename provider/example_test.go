package provider_test

import (
	"context"
	"fmt"
	"os"

	"github.com/mazevault/vault-tool/provider"
)

// A service in legacy mode: no vault is configured, so the environment answers.
func ExampleFromEnv() {
	os.Setenv("DATABASE_URL", "postgres://localhost/app")
	secrets, err := provider.FromEnv(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()

	fmt.Println(secrets.Require("DATABASE_URL", "SESSION_SECRET"))
	value, source, _ := secrets.Lookup("DATABASE_URL")
	fmt.Println(value, "from the", source)
	fmt.Println(secrets)
	// Output:
	// provider: required secrets missing: SESSION_SECRET
	// postgres://localhost/app from the environment
	// [redacted]
}
