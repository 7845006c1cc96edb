package azurekeyvault_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/fakeazure"
	"github.com/mazevault/vault-tool/keysource/azurekeyvault"
)

// start runs a fake with the key as `vault-tool init` writes it.
func start(t *testing.T) *fakeazure.Azure {
	t.Helper()
	azure := fakeazure.Start(t, testVault)
	azure.Put(azurekeyvault.DefaultSecretName, fakeazure.Secret{Value: testKeyHex + "\n"})
	return azure
}

func TestManagedIdentity(t *testing.T) {
	t.Parallel()
	for name, clientID := range map[string]string{"system-assigned": "", "user-assigned": fakeazure.ClientID} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := start(t)
			r := run(t, azure, append(azure.Env(), "AZURE_CLIENT_ID="+clientID), order{URL: testURL})
			if r.Error != "" || string(r.Passphrase) != testKeyHex {
				t.Fatalf("got %q, error %s", r.Passphrase, r.Error)
			}
			if want := testURL + "/secrets/mazevault-vault-key"; r.Source != want {
				t.Errorf("source %q, want %q", r.Source, want)
			}
			want := []string{
				"connect testvault.vault.azure.net:443",
				"vault /secrets/mazevault-vault-key/",
				"identity resource=https://vault.azure.net client_id=" + clientID,
				"vault /secrets/mazevault-vault-key/ with token",
			}
			if got := azure.Requests(); !slices.Equal(got, want) {
				t.Errorf("requests %q, want %q", got, want)
			}
		})
	}
}

func TestWorkloadIdentity(t *testing.T) {
	t.Parallel()
	azure := start(t)
	r := run(t, azure, azure.WorkloadEnv(), order{URL: testURL})
	if r.Error != "" || string(r.Passphrase) != testKeyHex {
		t.Fatalf("got %q, error %s", r.Passphrase, r.Error)
	}
	for _, request := range azure.Requests() {
		if strings.HasPrefix(request, "identity") {
			t.Errorf("asked for the managed identity: %s", request)
		}
		if strings.HasPrefix(request, "connect") && !strings.Contains(request, testVault) && !strings.Contains(request, fakeazure.LoginHost) {
			t.Errorf("asked another host: %s", request)
		}
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	binary := "\x00\xff raw key bytes \x80\n"
	tests := map[string]struct {
		secret fakeazure.Secret
		want   string
		kind   string
	}{
		"one byte":          {secret: fakeazure.Secret{Value: "k"}, want: "k"},
		"text":              {secret: fakeazure.Secret{Value: "pass phrase\r\n"}, want: "pass phrase"},
		"two newlines":      {secret: fakeazure.Secret{Value: "pass\n\n"}, want: "pass\n"},
		"base64":            {secret: tagged(base64.StdEncoding.EncodeToString([]byte(binary)), "base64"), want: strings.TrimSuffix(binary, "\n")},
		"hex":               {secret: tagged(hex.EncodeToString([]byte(binary)), "hex"), want: strings.TrimSuffix(binary, "\n")},
		"upper case":        {secret: tagged("QUJD", "BASE64"), want: "ABC"},
		"untagged base64":   {secret: fakeazure.Secret{Value: "QUJD"}, want: "QUJD"},
		"utf-8":             {secret: tagged("schlüssel\n", "utf-8"), want: "schlüssel"},
		"ascii":             {secret: tagged("key", "ascii"), want: "key"},
		"other tag":         {secret: fakeazure.Secret{Value: "QUJD", Tags: map[string]string{"team": "base64"}}, want: "QUJD"},
		"utf-16le":          {secret: tagged("CANARY-UTF-16", "utf-16le"), kind: "Encoding"},
		"not base64":        {secret: tagged("CANARY*not*base64", "base64"), kind: "Encoding"},
		"not hex":           {secret: tagged("CANARY", "hex"), kind: "Encoding"},
		"odd hex":           {secret: tagged("abc", "hex"), kind: "Encoding"},
		"empty":             {secret: fakeazure.Secret{Value: ""}, kind: "Empty"},
		"newline":           {secret: fakeazure.Secret{Value: "\n"}, kind: "Empty"},
		"empty base64":      {secret: tagged("", "base64"), kind: "Empty"},
		"disabled":          {secret: fakeazure.Secret{Value: testKeyHex, Disabled: true}, kind: "SecretDisabled"},
		"expired":           {secret: fakeazure.Secret{Value: testKeyHex, Expires: time.Now().Add(-time.Hour)}, kind: "SecretDisabled"},
		"not valid yet":     {secret: fakeazure.Secret{Value: testKeyHex, NotBefore: time.Now().Add(time.Hour)}, kind: "SecretDisabled"},
		"expires later":     {secret: fakeazure.Secret{Value: testKeyHex, Expires: time.Now().Add(time.Hour)}, want: testKeyHex},
		"longest permitted": {secret: fakeazure.Secret{Value: strings.Repeat("k", 25_000)}, want: strings.Repeat("k", 25_000)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := fakeazure.Start(t, testVault)
			azure.Put("another-name", tt.secret)
			r := run(t, azure, azure.Env(), order{URL: testURL, Secret: "another-name"})
			if tt.kind != "" {
				if !slices.Contains(r.Kinds, tt.kind) {
					t.Errorf("error %q is %v, want %s", r.Error, r.Kinds, tt.kind)
				}
				return
			}
			if r.Error != "" || string(r.Passphrase) != tt.want {
				t.Errorf("got %q, want %q, error %s", r.Passphrase, tt.want, r.Error)
			}
		})
	}
}

func tagged(value, encoding string) fakeazure.Secret {
	return fakeazure.Secret{Value: value, Tags: map[string]string{"file-encoding": encoding}}
}

func TestThrottled(t *testing.T) {
	t.Parallel()
	// failing answers the first requests with a token by an error.
	failing := func(times int32, status int, code, retryAfter string) fakeazure.Faults {
		var failures atomic.Int32
		return fakeazure.Faults{Vault: func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") == "" || failures.Add(1) > times {
				return false
			}
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			fakeazure.Fail(w, status, code, "")
			return true
		}}
	}
	throttle := func(azure *fakeazure.Azure, times int32, retryAfter string) {
		azure.Break(failing(times, http.StatusTooManyRequests, "Throttled", retryAfter))
	}
	t.Run("a wait that fits", func(t *testing.T) {
		t.Parallel()
		azure := start(t)
		throttle(azure, 1, "2")
		r := run(t, azure, azure.Env(), order{URL: testURL})
		if r.Error != "" || string(r.Passphrase) != testKeyHex {
			t.Errorf("got %q, error %s", r.Passphrase, r.Error)
		}
		if r.Took < 2*time.Second {
			t.Errorf("waited only %s", r.Took)
		}
	})
	t.Run("a wait that does not fit", func(t *testing.T) {
		t.Parallel()
		azure := start(t)
		throttle(azure, 100, "60")
		r := run(t, azure, azure.Env(), order{URL: testURL})
		if !slices.Contains(r.Kinds, "Throttled") || r.Status != http.StatusTooManyRequests {
			t.Errorf("error %q is %v", r.Error, r.Kinds)
		}
		if r.Took > 3*time.Second {
			t.Errorf("waited %s for nothing", r.Took)
		}
	})
	t.Run("again and again", func(t *testing.T) {
		if testing.Short() {
			t.Skip("takes eight seconds")
		}
		t.Parallel()
		azure := start(t)
		throttle(azure, 100, "4")
		r := run(t, azure, azure.Env(), order{URL: testURL})
		if !slices.Contains(r.Kinds, "Throttled") {
			t.Errorf("error %q is %v", r.Error, r.Kinds)
		}
		if r.Took > azurekeyvault.Timeout+time.Second {
			t.Errorf("took %s", r.Took)
		}
	})
	t.Run("a server error passes", func(t *testing.T) {
		t.Parallel()
		azure := start(t)
		azure.Break(failing(2, http.StatusServiceUnavailable, "ServiceUnavailable", ""))
		r := run(t, azure, azure.Env(), order{URL: testURL})
		if r.Error != "" || string(r.Passphrase) != testKeyHex {
			t.Errorf("got %q, error %s", r.Passphrase, r.Error)
		}
	})
}
