package valuecheck

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/vaultfile"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// examine returns what is found in secrets.
func examine(t *testing.T, secrets map[string]string) []finding.Finding {
	t.Helper()
	text, err := json.Marshal(secrets)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vaultfile.FromJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	found, err := Examine(v, Options{Now: now, ExpiresWithin: 30 * 24 * time.Hour, Tool: func(arguments string) string { return "vault-tool " + arguments }})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestSingleValues: a name and a value, and the checks that find something.
func TestSingleValues(t *testing.T) {
	const strong = "kX7pR2vN9wQ4mZ8t"
	for _, tt := range []struct{ name, value, want string }{
		{"API_TOKEN", strong, ""},
		{"PORT", "8080", ""},
		{"SMTP_USERNAME", "mailer", ""},
		{"DEBUG", "true", ""},
		{"A", "", "value-empty"},
		{"A", "\uFEFFhunter2", "value-byte-order-mark"},
		{"A", " hunter2", "value-blanks"},
		{"A", "hunter2\t", "value-blanks"},
		{"A", "hunter2\n\n", "value-blanks"},
		{"A", "\u00a0hunter2", "value-blanks"},
		{"A", "hunter2\n", "value-newline"},
		{"A", "hunter2\r\n", "value-newline"},
		{"A", "line\nline\n", ""},
		{"A", "line\nline\n\n", "value-blanks"},
		{"A", " \n", "value-blank"},
		{"A", "changeme", "value-placeholder"},
		{"A", "TODO", "value-placeholder"},
		{"A", "__DB_PASSWORD__", "value-placeholder"},
		{"A", "@@DB_PASSWORD@@", "value-placeholder"},
		{"A", "${DB_PASSWORD}", "value-placeholder"},
		{"A", "%PASSWORD%", "value-placeholder"},
		{"A", "[your-password]", "value-placeholder"},
		{"A", "<password>", "value-placeholder"},
		{"A", "[1,2]", ""},
		{"A", "__a", ""},
		{"DB_PASSWORD", "kX7pR2vN", "value-weak"},
		{"DB_PASSWORD", "Password2024!", "value-weak"},
		{"DB_PASSWORD", "P@$$w0rd-2024!!", "value-weak"},
		{"DB_PASSWORD", "Welcome12345678", "value-weak"},
		{"SMTP_PASSWORD", "smtp-2024-2025-2026", "value-weak"},
		{"SMTP_PASSWORD", "SMTP_PASSWORD", "value-weak"},
		{"DB_PASSWORD", "aaaaaaaaaaaaaaaaaaaa", "value-weak"},
		{"DB_PASSWORD", "Xy7-qXy7-qXy7-q", "value-weak"},
		{"DB_PASSWORD", "abcdefghijklmnopq", "value-weak"},
		{"DB_PASSWORD", "120398471203", "value-weak"},
		{"DB_PASSWORD", "8347238423989125", ""},
		{"DB_PASSWORD", "correct horse battery staple", ""},
		{"DB_PASSWORD_MIN_LENGTH", "8", ""},
		{"DATABASE_URL", "postgres://app:postgres@db/app", "value-weak"},
		{"DATABASE_URL", "postgres://app:" + strong + "@db/app", ""},
		{"DATABASE_URL", "postgres://db/app?x=a@b:c", ""},
		{"DATABASE_URL", "postgres://app@db/app", ""},
		{"a-b", strong, "name-no-variable"},
		{"acme/x/A", strong, ""},
		{"acme/x/1A", strong, "name-no-variable"},
		{"tls.pem", strong, "name-no-variable"},
	} {
		var checks []string
		for _, f := range examine(t, map[string]string{tt.name: tt.value}) {
			checks = append(checks, f.Check)
			if !slices.Equal(f.Where, []string{tt.name}) || f.What == "" || len(tt.value) > 5 && strings.Contains(f.What+f.Mend, tt.value) && !strings.Contains(tt.name, tt.value) {
				t.Errorf("%s=%q: %+v", tt.name, tt.value, f)
			}
		}
		if got := strings.Join(checks, " "); got != tt.want {
			t.Errorf("%s=%q: found %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestMends(t *testing.T) {
	for name, want := range map[string]string{"a.b": "rename a.b a_b", "acme/1": "rename acme/1 acme/_1"} {
		if found := examine(t, map[string]string{name: "8080"}); len(found) != 1 || found[0].Mend != "vault-tool "+want {
			t.Errorf("%s: %+v", name, found)
		}
	}
	found := examine(t, map[string]string{"A": "value\n"})
	if want := "vault-tool get A | vault-tool add A"; len(found) != 1 || found[0].Mend != want {
		t.Errorf("%+v, want %q", found, want)
	}
}

func TestEqualValues(t *testing.T) {
	const one, other = "kX7pR2vN9wQ4mZ8t", "bD3hJ6sL1yC5gF0u"
	found := examine(t, map[string]string{
		"Z_TOKEN": one, "B_TOKEN": one, "acme/B_TOKEN": one, "D_SECRET": other, "C": other, "SHORT_A_KEY": "a", "SHORT_B_KEY": "a",
		"HOST_A": "db.example.org", "HOST_B": "db.example.org", "P_SECRET": "changeme", "Q_SECRET": "changeme",
	})
	var groups []string
	for _, f := range found {
		if f.Check == "value-shared" {
			groups = append(groups, strings.Join(f.Where, " "))
		}
	}
	if want := []string{"B_TOKEN Z_TOKEN acme/B_TOKEN", "C D_SECRET"}; !slices.Equal(groups, want) {
		t.Errorf("shared: %q, want %q", groups, want)
	}
}

func TestCertificates(t *testing.T) {
	day := 24 * time.Hour
	fresh, soon, gone := certificate(t, -day, 90*day), certificate(t, -day, 10*day), certificate(t, -90*day, -day)
	early := certificate(t, day, 90*day)
	privateKey := "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n"
	escaped, err := json.Marshal(gone)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, value, want string }{
		{"fresh", fresh, ""},
		{"expires soon", soon, "certificate-expires: the certificate expires on 2026-05-11"},
		{"expired", gone, "certificate-expired: the certificate expired on 2026-04-30"},
		{"a chain with its key", privateKey + fresh + soon, "certificate-expires: certificate 2 of 2 expires on 2026-05-11"},
		{"in JSON", `{"cert": ` + string(escaped) + `}`, "certificate-expired: the certificate expired on 2026-04-30"},
		{"Windows lines", strings.ReplaceAll(gone, "\n", "\r\n"), "certificate-expired: the certificate expired on 2026-04-30"},
		{"not yet valid", early, "certificate-early: the certificate is not valid before 2026-05-02"},
		{"damaged", strings.Replace(fresh, "MI", "M!", 1), "certificate-damaged: the certificate cannot be read"},
		{"cut off", fresh[:len(fresh)/2], ""},
		{"one within the other", fresh[:60] + "\n" + gone, "certificate-expired: the certificate expired on 2026-04-30"},
	} {
		var got []string
		for _, f := range examine(t, map[string]string{"CERT": tt.value}) {
			if strings.HasPrefix(f.Check, "certificate") {
				got = append(got, f.Check+": "+f.What)
			}
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// certificate makes one in PEM that is valid between two times from now.
func certificate(t *testing.T, from, to time.Duration) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(from), NotAfter: now.Add(to)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestTokens(t *testing.T) {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`))
	jwt := func(claims string) string {
		return header + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2lnbmF0dXJl"
	}
	at := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	for claims, want := range map[string]string{
		`{"sub":"x","exp":` + at(time.Hour) + `}`:                "token-expires: the token expires on 2026-05-01",
		`{"exp":` + at(-time.Hour) + `.5,"aud":["a",{"exp":1}]}`: "token-expired: the token expired on 2026-05-01",
		`{"exp":` + at(900*time.Hour) + `}`:                      "",
		`{"sub":"x"}`:                                            "",
		`{"exp":"never"}`:                                        "",
		`{"exp":-1}`:                                             "",
		`{"exp":1e300}`:                                          "",
		`{"exp":1`:                                               "",
		`[1]`:                                                    "",
		`{"nested":{"exp":1},"list":[{"exp":2}],"t":true,"n":null,"":0}`: "",
	} {
		for _, value := range []string{jwt(claims), "Bearer " + jwt(claims)} {
			var got []string
			for _, f := range examine(t, map[string]string{"T": value}) {
				if strings.HasPrefix(f.Check, "token") {
					got = append(got, f.Check+": "+f.What)
				}
			}
			if strings.Join(got, "; ") != want {
				t.Errorf("%s: %q, want %q", claims, got, want)
			}
		}
	}
	for _, value := range []string{"eyJ", "eyJ.!.x", "eyJ..", "eyJx.y"} {
		for _, f := range examine(t, map[string]string{"T": value}) {
			if strings.HasPrefix(f.Check, "token") {
				t.Errorf("%q: %+v", value, f)
			}
		}
	}
}
