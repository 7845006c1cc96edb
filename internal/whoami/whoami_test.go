package whoami

import (
	"os"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/erase"
)

func TestName(t *testing.T) {
	var name string
	erase.Do(func() { name = Name() })
	user, host, _ := strings.Cut(name, "@")
	if want, err := os.Hostname(); user == "" || err == nil && host != want {
		t.Errorf("%q", name)
	}
}
