package provider

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// fakeAzure stands for keysource/azurekeyvault: its constructor has the same shape.
type fakeAzure struct {
	keysource.Source
	url, secret string
	closed      *bool
}

func (f *fakeAzure) String() string { return f.url + "/secrets/" + f.secret }
func (f *fakeAzure) Close()         { *f.closed = true }

type fakeAzureOption func(*fakeAzure)

func TestFromEnv(t *testing.T) {
	s := newSite(t, map[string]string{"A": "of the vault"})
	other := filepath.Join(t.TempDir(), "other.key")
	if err := keysource.Generate(other); err != nil {
		t.Fatal(err)
	}
	permissive := filepath.Join(t.TempDir(), "permissive.key")
	writeFile(t, permissive, "a passphrase that others may read")
	if err := os.Chmod(permissive, 0o640); err != nil {
		t.Fatal(err)
	}
	tooOpen := keysource.ErrPermissive
	if runtime.GOOS == "windows" { // permission bits mean nothing there; it is a wrong key all the same
		tooOpen = vaultfile.ErrDecryption
	}
	const url = "https://myvault.vault.azure.net"
	var opened fakeAzure
	var closed bool
	azure := WithAzureKeyVault(func(vaultURL, secretName string, _ ...fakeAzureOption) (*fakeAzure, error) {
		if vaultURL == "bad" {
			return nil, fs.ErrInvalid
		}
		opened = fakeAzure{keysource.NewFile(s.key), vaultURL, secretName, &closed}
		return &opened, nil
	})
	for name, tt := range map[string]struct {
		env         map[string]string
		options     []Option
		value       string // of A
		err         error
		azureSecret string // that was opened
	}{
		"legacy":            {env: map[string]string{"A": "of the environment"}, value: "of the environment"},
		"legacy with a key": {env: map[string]string{"A": "e", EnvVaultFile: "", EnvKeyFile: "/nowhere", EnvAzureURL: url}, value: "e"},
		"vault misspelt":    {env: map[string]string{"A": "e", "MAZEVAULT_VALT_FILE": s.vault, EnvKeyFile: s.key}, err: ErrNoVault},
		"Azure, no vault":   {env: map[string]string{"A": "e", EnvAzureURL: url}, options: []Option{azure}, err: ErrNoVault},
		"empty key":         {env: map[string]string{"A": "e", EnvKeyFile: "", EnvAzureURL: ""}, value: "e"},
		"empty is unset":    {env: map[string]string{"A": "e", EnvVaultFile: ""}, value: "e"},
		"key file":          {env: map[string]string{EnvVaultFile: s.vault, EnvKeyFile: s.key, EnvAzureURL: ""}, value: "of the vault"},
		"no key":            {env: map[string]string{EnvVaultFile: s.vault, EnvKeyFile: ""}, err: ErrNoKey},
		"vault missing":     {env: map[string]string{"A": "e", EnvVaultFile: s.vault + "x", EnvKeyFile: s.key}, err: vaultfile.ErrNotExist},
		"key missing":       {env: map[string]string{"A": "e", EnvVaultFile: s.vault, EnvKeyFile: s.key + "x"}, err: keysource.ErrStat},
		"wrong key":         {env: map[string]string{"A": "e", EnvVaultFile: s.vault, EnvKeyFile: other}, err: vaultfile.ErrDecryption},
		"key too open":      {env: map[string]string{"A": "e", EnvVaultFile: s.vault, EnvKeyFile: permissive}, err: tooOpen},
		"no Azure":          {env: map[string]string{EnvVaultFile: s.vault, EnvAzureURL: url}, err: ErrNoAzure},
		"Azure fails":       {env: map[string]string{EnvVaultFile: s.vault, EnvAzureURL: "bad"}, options: []Option{azure}, err: fs.ErrInvalid},
		"Azure": {env: map[string]string{EnvVaultFile: s.vault, EnvAzureURL: url}, options: []Option{azure},
			value: "of the vault", azureSecret: DefaultAzureSecret},
		"Azure before the key file": {env: map[string]string{EnvVaultFile: s.vault, EnvAzureURL: url, EnvAzureSecret: "named", EnvKeyFile: other},
			options: []Option{azure}, value: "of the vault", azureSecret: "named"},
		"a source before Azure": {env: map[string]string{EnvVaultFile: s.vault, EnvAzureURL: url},
			options: []Option{WithSource(keysource.NewFile(s.key))}, value: "of the vault"},
	} {
		t.Run(name, func(t *testing.T) {
			opened, closed = fakeAzure{}, false
			p, err := FromEnv(t.Context(), append(tt.options, WithLookupEnv(envOf(tt.env)))...)
			if tt.err != nil {
				if tt.env[EnvAzureURL] != "" && !strings.Contains(fmt.Sprint(err), EnvAzureURL) {
					t.Errorf("%v does not name %s", err, EnvAzureURL)
				}
				if wantError(t, err, tt.err); p != nil {
					t.Error("a provider besides the error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if value := p.Get("A"); value != tt.value || opened.secret != tt.azureSecret {
				t.Errorf("A is %q, opened secret %q", value, opened.secret)
			}
			if err := p.Close(); err != nil || closed != (tt.azureSecret != "") {
				t.Errorf("Close: %v, the source is closed: %v", err, closed)
			}
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for err, wants := range map[error][]string{
		ErrNoAzure: {"MAZEVAULT_VAULT_AKV_URL", "github.com/mazevault/vault-tool/keysource/azurekeyvault", "WithAzureKeyVault"},
		ErrNoVault: {"MAZEVAULT_VAULT_FILE", "MAZEVAULT_VAULT_KEY_FILE", "to nothing"},
		ErrNoKey:   {"MAZEVAULT_VAULT_KEY_FILE", "MAZEVAULT_VAULT_AKV_URL"},
	} {
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not name %s", err, want)
			}
		}
	}
}

func TestFromEnvReadsTheEnvironment(t *testing.T) {
	s := newSite(t, map[string]string{"A": "of the vault"})
	t.Setenv(EnvVaultFile, s.vault)
	t.Setenv(EnvKeyFile, s.key)
	t.Setenv(EnvAzureURL, "")
	t.Setenv("PROVIDER_TEST_ENV", "of the environment")
	p, err := FromEnv(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Get("A") != "of the vault" || p.Get("PROVIDER_TEST_ENV") != "of the environment" {
		t.Errorf("%q, %q", p.Get("A"), p.Get("PROVIDER_TEST_ENV"))
	}
}

func TestOpenEnds(t *testing.T) {
	s := newSite(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := Open(ctx, s.config()); p != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", p, err)
	}
}

// TestPathsOutliveTheWorkingDirectory: relative paths mean what they meant at the opening.
func TestPathsOutliveTheWorkingDirectory(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	t.Chdir(s.dir)
	p := mustOpen(t, Config{VaultFile: "secrets.vault", KeyFile: "./vault.key", LookupEnv: noEnv})
	if err := os.Chdir(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	s.update(t, map[string]string{"A": "2"})
	if _, err := p.Reload(t.Context()); err != nil || p.Get("A") != "2" {
		t.Errorf("%q, %v", p.Get("A"), err)
	}
}

func TestDotenv(t *testing.T) {
	s := newSite(t, map[string]string{"A": "of the vault"})
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first.env"), filepath.Join(dir, "second.env")
	writeFile(t, first, EnvVaultFile+"="+s.vault+"\n"+EnvKeyFile+"="+s.key+"\nB=first\nSET=dotenv\nA=dotenv\n")
	writeFile(t, second, "B=second\nC='of second'\n")
	env := map[string]string{"SET": "environment", EnvAzureURL: ""}
	p, err := FromEnv(t.Context(), WithLookupEnv(envOf(env)), WithDotenv(first, second))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for name, want := range map[string]string{"A": "of the vault", "B": "first", "C": "of second", "SET": "environment"} {
		if got := p.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, ok := os.LookupEnv("B"); ok || len(env) != 2 {
		t.Error("a .env file reached the environment past the injected one")
	}
}

func TestDotenvSetsTheProcessEnvironment(t *testing.T) {
	const added, kept = "PROVIDER_TEST_DOTENV_ADDED", "PROVIDER_TEST_DOTENV_KEPT"
	t.Setenv(kept, "before")
	t.Setenv(EnvVaultFile, "")
	t.Setenv(added, "") // so that it is restored
	if err := os.Unsetenv(added); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if p, err := FromEnv(t.Context(), WithDotenv()); err != nil {
		t.Error("no .env in the working directory:", err)
	} else {
		p.Close()
	}
	writeFile(t, ".env", added+"=1\n"+kept+"=after\n")
	p, err := FromEnv(t.Context(), WithDotenv())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if os.Getenv(added) != "1" || p.Get(added) != "1" || p.Get(kept) != "before" {
		t.Errorf("%q, %q, %q", os.Getenv(added), p.Get(added), p.Get(kept))
	}
}

// TestDotenvErrorsQuoteNothing: godotenv's own texts hold the rest of the file.
func TestDotenvErrorsQuoteNothing(t *testing.T) {
	const secret = "s3cr3t"
	for content, where := range map[string]string{
		"A=1\nB-AD=" + secret + "\n":              "line 2",
		"A=1\n# c\n\nB=\"" + secret + "\nC=2\n":   "line 4",
		"\ufeffA=" + secret:                       "line 1",
		"A='x' " + secret + "\nB=" + secret + " ": "line 1",
		"A=1\nB=2\n" + secret + "\nC=3":           "line 3",
	} {
		path := filepath.Join(t.TempDir(), "x.env")
		writeFile(t, path, content)
		_, err := FromEnv(t.Context(), WithLookupEnv(noEnv), WithDotenv(path))
		wantError(t, err, ErrDotenv)
		if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), path+": "+where+" ") {
			t.Errorf("%q: error %v, want %s", content, err, where)
		}
	}
	_, err := FromEnv(t.Context(), WithLookupEnv(noEnv), WithDotenv(filepath.Join(t.TempDir(), "missing")))
	wantError(t, err, ErrDotenv)
	wantError(t, err, fs.ErrNotExist)
}
