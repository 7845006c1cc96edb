package provider

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/kdf"
)

// TestRotationUnderLoad rotates the key of a vault in place, with the real program, and changes a pair
// of secrets, again and again, while Watch runs and 8 goroutines read. No reader may see an error or two
// halves of different pairs, Watch may report no problem, and every rotation must be one that the
// provider has followed.
func TestRotationUnderLoad(t *testing.T) {
	rotations := 50
	if testing.Short() {
		rotations = 5
	}
	tool := buildTool(t)
	s := newSite(t, pair(0))
	p := mustOpen(t, s.config())
	r := watch(t, p)

	var stop atomic.Bool
	var reads atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for !stop.Load() {
				if err := readPair(p); err != nil {
					t.Error(err)
					return
				}
				if reads.Add(1)%16 == 0 {
					time.Sleep(time.Millisecond) // leave something of two cores to the derivations
				}
			}
		})
	}
	for i := 1; i <= rotations && !t.Failed(); i++ {
		out, err := exec.Command(tool, "rotate-key", "--in-place", "--vault-file", s.vault, "--key-file", s.key).CombinedOutput()
		if err != nil {
			t.Fatalf("rotation %d: %v\n%s", i, err, out)
		}
		s.update(t, pair(i))
		want := pair(i)["USER"]
		eventually(t, fmt.Sprintf("the pair after rotation %d is in service", i), func() bool { return p.Get("USER") == want })
	}
	stop.Store(true)
	wg.Wait()
	for _, c := range r.all() {
		if c.Err != nil {
			t.Errorf("Watch reported %v", c.Err)
		}
	}
	if got := len(r.all()); got < rotations {
		t.Errorf("%d reports of %d changes", got, rotations)
	}
	t.Logf("%d reads during %d rotations", reads.Load(), rotations)
}

func pair(i int) map[string]string {
	return map[string]string{"USER": fmt.Sprintf("pair %d", i), "PASSWORD": fmt.Sprintf("pair %d", i), "OTHER": "constant"}
}

func readPair(p *Provider) error {
	return errors.Join(
		p.View(func(v *View) error {
			if user, password := v.Get("USER"), v.Get("PASSWORD"); user != password || user == "" {
				return fmt.Errorf("mixed snapshot: %q and %q", user, password)
			}
			return nil
		}),
		p.Use("OTHER", func(secret []byte) error {
			if string(secret) != "constant" {
				return fmt.Errorf("a constant became %q", secret)
			}
			return nil
		}),
	)
}

// quickTag is the build tag that makes the tool's derivation that of this test's build.
func quickTag() string {
	if kdf.Quick {
		return "quickkdf"
	}
	return ""
}

// buildTool returns the path of vault-tool, built for the test.
func buildTool(tb testing.TB) string {
	tb.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		tb.Skip("no go tool:", err)
	}
	tool := filepath.Join(tb.TempDir(), "vault-tool")
	if runtime.GOOS == "windows" {
		tool += ".exe"
	}
	ctx, cancel := context.WithTimeout(tb.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, goTool, "build", "-tags", quickTag(), "-o", tool, "../cmd/vault-tool").CombinedOutput()
	if err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return tool
}
