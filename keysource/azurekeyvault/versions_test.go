package azurekeyvault_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/fakeazure"
	"github.com/mazevault/vault-tool/keysource/azurekeyvault"
	"github.com/mazevault/vault-tool/vaultfile"
)

var _ vaultfile.SuccessorSource = (*azurekeyvault.Source)(nil)

// TestVersionBefore: the version directly before the newest is the successor, where it may be used.
func TestVersionBefore(t *testing.T) {
	t.Parallel()
	of := func(values ...string) (versions []fakeazure.Secret) {
		for _, value := range values {
			versions = append(versions, fakeazure.Secret{Value: value})
		}
		return versions
	}
	listing := func(h fakeazure.Handler) fakeazure.Faults {
		return fakeazure.Faults{Vault: func(w http.ResponseWriter, r *http.Request) bool {
			return strings.HasSuffix(strings.Trim(r.URL.Path, "/"), "/versions") && h(w, r)
		}}
	}
	elsewhere := func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"value":[],"nextLink":"https://login.microsoftonline.com/elsewhere"}`))
		return true
	}
	for name, tt := range map[string]struct {
		versions []fakeazure.Secret
		disable  []int
		faults   fakeazure.Faults
		opened   bool
		want     string // "": none
		kind     string
	}{
		"one":            {versions: of("first-key")},
		"two":            {versions: of("first-key", "second-key"), want: "first-key"},
		"several pages":  {versions: of("key-1", "key-2", "key-3", "key-4", "key-5"), want: "key-4"},
		"disabled":       {versions: of("key-1", "key-2", "key-3"), disable: []int{1}},
		"older disabled": {versions: of("key-1", "key-2", "key-3"), disable: []int{0}, want: "key-2"},
		"expired":        {versions: []fakeazure.Secret{{Value: "key-1", Expires: time.Now().Add(-time.Hour)}, {Value: "key-2"}}},
		"opened before":  {versions: of("first-key", "second-key"), opened: true},
		"may not list":   {versions: of("first-key", "second-key"), faults: listing(failWith(http.StatusForbidden, "Forbidden", "ForbiddenByRbac"))},
		"out of order":   {versions: of("first-key", "second-key"), faults: listing(failWith(http.StatusBadRequest, "BadParameter", "")), kind: "Unexpected"},
		"goes elsewhere": {versions: of("first-key", "second-key"), faults: listing(elsewhere), kind: "Unexpected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := fakeazure.Start(t, testVault)
			for _, s := range tt.versions {
				azure.Put("key", s)
			}
			for _, n := range tt.disable {
				azure.Disable("key", n)
			}
			azure.Break(tt.faults)
			r := run(t, azure, azure.Env(), order{URL: testURL, Secret: "key", Successor: true, Opened: tt.opened})
			if tt.kind != "" {
				if !slices.Contains(r.Kinds, tt.kind) {
					t.Errorf("error %q is %v, want %s", r.Error, r.Kinds, tt.kind)
				}
			} else if r.Error != "" || string(r.Passphrase) != tt.want {
				t.Errorf("got %q, want %q, error %s", r.Passphrase, tt.want, r.Error)
			}
			if named := strings.HasPrefix(r.Name, testURL+"/secrets/key/"); named != (tt.want != "") {
				t.Errorf("its name is %q", r.Name)
			}
			if slices.ContainsFunc(azure.Requests(), func(request string) bool { return strings.Contains(request, "elsewhere") }) {
				t.Error("the token was taken elsewhere")
			}
		})
	}
}
