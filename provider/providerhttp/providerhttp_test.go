package providerhttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/provider"
	"github.com/mazevault/vault-tool/provider/providerhttp"
	"github.com/mazevault/vault-tool/provider/providertest"
)

const canary = "CANARY-9a41"

func get(t *testing.T, h http.Handler, method string) (code int, body string, answer providerhttp.Answer) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "/healthz", nil))
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), canary) {
		t.Errorf("it shows too much: %s", text)
	}
	_ = json.Unmarshal(text, &answer) // a refusal is none
	return w.Code, string(text), answer
}

func TestHealth(t *testing.T) {
	secrets := providertest.New(t, map[string]string{canary: canary, "B": "2"})
	h := providerhttp.Health(secrets.Provider, canary)
	want := func(code int, status string) {
		t.Helper()
		if got, body, answer := get(t, h, http.MethodGet); got != code || answer.Status != status {
			t.Errorf("%d %s, want %d and status %s", got, body, code, status)
		}
	}
	want(http.StatusOK, providerhttp.StatusOK)
	if _, body, answer := get(t, h, http.MethodGet); !answer.Vault || answer.Generation != 1 || answer.Loaded == nil || answer.Checked == nil {
		t.Error(body)
	}
	secrets.Fail(errors.New(canary))
	want(http.StatusOK, providerhttp.StatusDegraded)
	secrets.Set(map[string]string{"B": "2"})
	want(http.StatusServiceUnavailable, providerhttp.StatusFailing)
	secrets.Set(map[string]string{canary: "3"})
	want(http.StatusOK, providerhttp.StatusOK)
	if code, _, _ := get(t, h, http.MethodPost); code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", code)
	}
	if err := secrets.Close(); err != nil {
		t.Fatal(err)
	}
	want(http.StatusServiceUnavailable, providerhttp.StatusFailing)
}

func TestVars(t *testing.T) {
	secrets := providertest.New(t, map[string]string{canary: canary})
	v := providerhttp.Vars(secrets.Provider)
	number := func(name string) float64 {
		t.Helper()
		var numbers map[string]float64
		if err := json.Unmarshal([]byte(v.String()), &numbers); err != nil {
			t.Fatal(err)
		}
		n, ok := numbers[name]
		if !ok || strings.Contains(v.String(), canary) {
			t.Errorf("%s: %s", name, v.String())
		}
		return n
	}
	if number("secrets") != 1 || number("generation") != 1 || number("looks") != 1 || number("failures") != 0 || number("problem") != 0 || number("checked") == 0 {
		t.Error(v.String())
	}
	secrets.Fail(errors.New(canary))
	if number("looks") != 2 || number("failures") != 1 || number("problem") != 1 {
		t.Error(v.String())
	}
	secrets.Set(map[string]string{"A": "1", "B": "2"})
	if number("secrets") != 2 || number("generation") != 2 || number("looks") != 3 || number("problem") != 0 {
		t.Error(v.String())
	}
	if err := secrets.Close(); err != nil {
		t.Fatal(err)
	}
	if v.String() != "null" {
		t.Errorf("closed: %s", v.String())
	}
}

// TestNothingBelowLinksHTTP: a service that does not ask for it has no HTTP through the provider, or what that stands on.
func TestNothingBelowLinksHTTP(t *testing.T) {
	const module = "github.com/mazevault/vault-tool/"
	out, err := exec.Command("go", "list", "-deps", module+"provider", module+"provider/providertest", module+"vaultfile").Output()
	if err != nil {
		t.Skip("go list does not work here:", err)
	}
	for line := range strings.Lines(string(out)) {
		switch strings.TrimSpace(line) {
		case "net/http", "expvar", "net/rpc":
			t.Errorf("%s is linked", strings.TrimSpace(line))
		}
	}
}

func ExampleHealth() {
	secrets, err := provider.Open(context.Background(), provider.Config{}) // provider.FromEnv, in a service
	if err != nil {
		fmt.Println(err)
		return
	}
	defer secrets.Close()
	w := httptest.NewRecorder()
	providerhttp.Health(secrets, "NO_SUCH_SECRET").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	fmt.Println(w.Code)
	// Output: 503
}
