package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestNoNetworkCode: what talks to a network is in vault-tool-net only, on every system.
func TestNoNetworkCode(t *testing.T) {
	t.Parallel()
	for _, system := range []string{"linux", "darwin", "windows"} {
		list := exec.Command("go", "list", "-deps", ".")
		list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "GOEXPERIMENT=", "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for dependency := range strings.FieldsSeq(string(out)) {
			for _, unwanted := range []string{
				"net/http", "crypto/tls", "golang.org/x/net", "golang.org/x/oauth2", "google.golang.org", "cloud.google.com", "github.com/Azure",
				"github.com/aws", "github.com/hashicorp", "github.com/mazevault/vault-tool/internal/net", "github.com/mazevault/vault-tool/keysource/",
			} {
				if dependency == unwanted || strings.HasPrefix(dependency, strings.TrimSuffix(unwanted, "/")+"/") {
					t.Errorf("on %s vault-tool has %s", system, dependency)
				}
			}
		}
	}
}
