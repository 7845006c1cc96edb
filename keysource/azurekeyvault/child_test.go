package azurekeyvault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/fakeazure"
	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/keysource/azurekeyvault"
)

// The client runs in a process of its own: this test binary again, as childEnv tells it. It uses the
// package as any program does.
const childEnv = "AZUREKEYVAULT_TEST_CHILD"

const (
	testVault  = "testvault.vault.azure.net"
	testURL    = "https://" + testVault
	testKeyHex = "7b0c1f6e2d9a4853c6f1e0a97d34b28850f6c3e19a7d42b86ce5f0137a9d2b4c" // as init writes it
)

// order is what the child is to do.
type order struct {
	URL, Secret string
	Times       int           // readings, one after the other
	CancelAfter time.Duration // 0: never
	Resolver    string        // address of a DNS server to ask instead of the system's
	Wait        bool          // wait for the end of stdin before exiting
	Successor   bool          // ask for the successor too, after the reading
	Opened      bool          // tell the source before that its passphrase has opened a vault
}

// result is what the child saw at its last reading.
type result struct {
	Passphrase []byte // only where Wait is not set
	Error      string
	Kinds      []string
	Typed      bool
	Status     int
	Code       string
	Took       time.Duration
	Source     string
	Name       string // of the successor
}

// kinds are the errors to branch on, by name.
var kinds = map[string]error{
	"IdentityConfig":      azurekeyvault.ErrIdentityConfig,
	"IdentityUnreachable": azurekeyvault.ErrIdentityUnreachable,
	"TokenRefused":        azurekeyvault.ErrTokenRefused,
	"VaultNotFound":       azurekeyvault.ErrVaultNotFound,
	"VaultUnreachable":    azurekeyvault.ErrVaultUnreachable,
	"Certificate":         azurekeyvault.ErrCertificate,
	"AccessDenied":        azurekeyvault.ErrAccessDenied,
	"Firewall":            azurekeyvault.ErrFirewall,
	"SecretNotFound":      azurekeyvault.ErrSecretNotFound,
	"SecretDisabled":      azurekeyvault.ErrSecretDisabled,
	"Throttled":           azurekeyvault.ErrThrottled,
	"Timeout":             azurekeyvault.ErrTimeout,
	"Encoding":            azurekeyvault.ErrEncoding,
	"Unexpected":          azurekeyvault.ErrUnexpected,
	"Empty":               keysource.ErrEmpty,
	"Canceled":            context.Canceled,
	"DeadlineExceeded":    context.DeadlineExceeded,
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		runChild(text)
		return
	}
	os.Exit(m.Run())
}

func runChild(text string) {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic(err)
	}
	useResolver(o.Resolver)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if o.CancelAfter > 0 {
		time.AfterFunc(o.CancelAfter, cancel)
	}
	source, err := azurekeyvault.New(o.URL, o.Secret)
	if err != nil {
		panic(err)
	}
	var r result
	for range max(1, o.Times) {
		r = read(ctx, source, o)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		panic(err)
	}
	if o.Wait {
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
}

func read(ctx context.Context, source *azurekeyvault.Source, o order) result {
	r := result{Source: source.String()}
	start := time.Now()
	use := func(passphrase []byte) error {
		if !o.Wait {
			r.Passphrase = bytes.Clone(passphrase)
		}
		return nil
	}
	err := source.Passphrase(ctx, use)
	if o.Opened {
		source.Opened()
	}
	if err == nil && o.Successor {
		r.Passphrase = nil
		r.Name, err = source.Successor(ctx, use)
	}
	r.Took = time.Since(start)
	if err == nil {
		return r
	}
	r.Error = err.Error()
	for name, kind := range kinds {
		if errors.Is(err, kind) {
			r.Kinds = append(r.Kinds, name)
		}
	}
	var typed *azurekeyvault.Error
	if r.Typed = errors.As(err, &typed); r.Typed {
		r.Status, r.Code = typed.Status, typed.Code
	}
	return r
}

// needChild skips where the fake cannot be trusted by an unmodified client.
func needChild(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("the system's trust store cannot be replaced through SSL_CERT_FILE here")
	}
}

func childCommand(t *testing.T, env []string, o order) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(env, childEnv+"="+string(text), "AZURE_SDK_GO_LOGGING=all") // the SDK's log shall be clean, too
	return cmd
}

// run has a child read a secret and checks that it told nobody what it must not tell.
func run(t *testing.T, azure *fakeazure.Azure, env []string, o order) result {
	t.Helper()
	needChild(t)
	cmd := childCommand(t, env, o)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("child: %v\n%s", err, stderr.String())
	}
	var r result
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%v in %q\n%s", err, stdout.String(), stderr.String())
	}
	for _, canary := range azure.Canaries() {
		if strings.Contains(r.Error, canary) {
			t.Errorf("the error gives away %q:\n%s", canary, r.Error)
		}
	}
	for _, canary := range []string{fakeazure.Token, fakeazure.IdentityHeader, fakeazure.Assertion, testKeyHex} {
		if strings.Contains(stderr.String(), canary) {
			t.Errorf("standard error, with the SDK's log in it, gives away %q", canary)
		}
	}
	if r.Error != "" && !r.Typed {
		t.Errorf("not an *Error: %s", r.Error)
	}
	return r
}
