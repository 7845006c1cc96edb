// Package keycachetest keeps tests that use the kernel's keyring out of each other's way: the tests of
// several packages run at once, and a user has one keyring.
package keycachetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mazevault/vault-tool/internal/durable"
)

// patience is longer than the longest test that holds the keyring takes.
const patience = 5 * time.Minute

// Hold waits until no other test has the keyring, and returns the function that gives it up.
func Hold() (release func(), err error) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("vault-tool-keyring-of-%d", os.Getuid()))
	lock, err := durable.Lock(context.Background(), path, patience)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Unlock() }, nil // the end of the test ends it as well
}
