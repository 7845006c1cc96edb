package main

import (
	"os"
	"os/exec"
	"runtime"
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

// maxToolBytes is the most that vault-tool, stripped and static, has.
const maxToolBytes = 8 << 20

func TestToolIsSmall(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the bound is for linux/amd64")
	}
	path := t.TempDir() + "/vault-tool"
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxToolBytes {
		t.Errorf("vault-tool has %d bytes, the most is %d", info.Size(), maxToolBytes)
	}
}
