package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// site is a vault and its key file in a directory, as a deployment has them.
type site struct {
	dir, vault, key string
	unlocker        *vaultfile.Unlocker
}

func newSite(tb testing.TB, secrets map[string]string) *site {
	tb.Helper()
	dir := tb.TempDir()
	s := &site{dir: dir, vault: filepath.Join(dir, "secrets.vault"), key: filepath.Join(dir, "vault.key")}
	if err := keysource.Generate(s.key); err != nil {
		tb.Fatal(err)
	}
	s.unlocker = vaultfile.NewUnlocker(keysource.NewFile(s.key))
	tb.Cleanup(s.unlocker.Close)
	if _, err := vaultfile.Create(tb.Context(), s.vault, s.unlocker, vaultfile.CreateOptions{}, setAll(secrets)); err != nil {
		tb.Fatal(err)
	}
	return s
}

func setAll(secrets map[string]string) func(*vaultfile.Draft) error {
	return func(d *vaultfile.Draft) error {
		for _, name := range slices.Sorted(maps.Keys(secrets)) {
			if _, err := d.Set(name, []byte(secrets[name])); err != nil {
				return err
			}
		}
		return nil
	}
}

// update sets secrets in the vault; those to be removed have the value "-".
func (s *site) update(tb testing.TB, secrets map[string]string) {
	tb.Helper()
	_, err := vaultfile.Update(context.Background(), s.vault, s.unlocker, vaultfile.UpdateOptions{}, func(d *vaultfile.Draft) error {
		secrets := maps.Clone(secrets)
		for name, value := range secrets {
			if value == "-" {
				delete(secrets, name)
				if err := d.Delete(name); err != nil {
					return err
				}
			}
		}
		return setAll(secrets)(d)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// rotate gives the vault another key, as rotate-key --in-place does.
func (s *site) rotate(tb testing.TB) {
	tb.Helper()
	next := vaultfile.NewUnlocker(keysource.NewFile(s.key + keysource.SuccessorSuffix))
	defer next.Close()
	_, err := vaultfile.Rekey(context.Background(), s.vault, s.unlocker, next, vaultfile.RekeyOptions{
		Prepare: func() error { return keysource.GenerateSuccessor(s.key) },
		Finish:  func() error { return os.Rename(s.key+keysource.SuccessorSuffix, s.key) },
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// config is that of a provider which sees no environment and polls so rarely that only notifications
// can make it quick.
func (s *site) config() Config {
	return Config{VaultFile: s.vault, KeyFile: s.key, LookupEnv: noEnv, PollInterval: time.Hour}
}

func noEnv(string) (string, bool) { return "", false }

func envOf(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func mustOpen(tb testing.TB, c Config) *Provider {
	tb.Helper()
	p, err := Open(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

// fromJSON is a provider of a vault that is no file.
func fromJSON(tb testing.TB, payload []byte) *Provider {
	tb.Helper()
	return mustOpen(tb, Config{LookupEnv: noEnv, Load: func(context.Context) (*vaultfile.Vault, error) {
		return vaultfile.FromJSON(payload)
	}})
}

// payloadOf returns n secrets with values of 60 bytes.
func payloadOf(n int) []byte {
	payload := []byte{'{'}
	for i := range n {
		if i > 0 {
			payload = append(payload, ',')
		}
		payload = fmt.Appendf(payload, `"SERVICE_%06d_PASSWORD":"%060d"`, i, i)
	}
	return append(payload, '}')
}

// recorder collects what Watch reports.
type recorder struct {
	mu      sync.Mutex
	changes []Change
}

// patience is how long tests wait for what happens in another goroutine: far longer than it takes.
const patience = 20 * time.Second

// watch runs Watch until the test ends.
func watch(tb testing.TB, p *Provider) *recorder {
	tb.Helper()
	r := &recorder{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Watch(ctx, r.add) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) && !errors.Is(err, ErrClosed) {
			tb.Errorf("Watch ended with %v", err)
		}
	})
	eventually(tb, "the watcher is there", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.watchers) > 0
	})
	return r
}

func (r *recorder) add(c Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, c)
}

func (r *recorder) all() []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.changes)
}

// next waits for the change number n, from 0, and returns it.
func (r *recorder) next(tb testing.TB, n int) Change {
	tb.Helper()
	eventually(tb, fmt.Sprintf("change %d is reported", n), func() bool { return len(r.all()) > n })
	return r.all()[n]
}

func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func wantError(tb testing.TB, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Errorf("error %v, want %v", err, want)
	}
}

func wantChange(tb testing.TB, c Change, added, changed, removed []string) {
	tb.Helper()
	if !slices.Equal(c.Added, added) || !slices.Equal(c.Changed, changed) || !slices.Equal(c.Removed, removed) || c.Err != nil {
		tb.Errorf("change %+v, want added %q, changed %q, removed %q", c, added, changed, removed)
	}
}

func writeFile(tb testing.TB, path, content string) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}

func rename(tb testing.TB, from, to string) {
	tb.Helper()
	if err := os.Rename(from, to); err != nil {
		tb.Fatal(err)
	}
}

func use(p *Provider, name string) (value string, err error) {
	err = p.Use(name, func(secret []byte) error {
		value = string(secret)
		return nil
	})
	return value, err
}

// files is what a site's files held.
type files map[string]string

func readAll(tb testing.TB, s *site) files {
	tb.Helper()
	f := make(files)
	for _, path := range []string{s.vault, s.key} {
		content, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		f[path] = string(content)
	}
	return f
}

func (f files) restore(tb testing.TB, s *site) {
	tb.Helper()
	for path, content := range f {
		writeFile(tb, path+".restored", content)
		rename(tb, path+".restored", path)
	}
}
