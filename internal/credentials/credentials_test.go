package credentials

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

func TestKnown(t *testing.T) {
	counts := map[string]int{"critical": 6, "sso": 3, "integration": 3, "notifications": 10, "license": 2, "infrastructure": 3}
	seen := make(map[string]bool)
	for _, category := range Known() {
		if len(category.Names) != counts[category.Name] {
			t.Errorf("%s has %d names, want %d", category.Name, len(category.Names), counts[category.Name])
		}
		delete(counts, category.Name)
		for _, name := range category.Names {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			if !IsKnown(name) || IsKnown(strings.ToLower(name)) {
				t.Errorf("IsKnown is wrong about %s", name)
			}
		}
	}
	if len(seen) != 27 || len(counts) != 0 {
		t.Errorf("%d names, categories missing: %v", len(seen), counts)
	}
	for _, name := range []string{"", "JWT_SECRET", "DATABASE_URL ", "PORT"} {
		if IsKnown(name) {
			t.Errorf("IsKnown(%q)", name)
		}
	}
}

func TestKnownIsACopy(t *testing.T) {
	got := Known()
	got[0].Name, got[0].Names[0] = "x", "x"
	if again := Known(); again[0].Name != "critical" || !slices.Contains(again[0].Names, "MAZEVAULT_MASTER_KEY") {
		t.Errorf("the table was changed: %v", again[0])
	}
}

func TestLooksSecret(t *testing.T) {
	tests := []struct{ name, value, reason string }{
		{"JWT_SECRET", "x", "named like a secret"},
		{"MASTER_KEY", "x", "named like a key"},
		{"ORACLE_PASSWORD", "tiger", "named like a password"},
		{"PGPASSWORD", "x", "named like a password"},
		{"dbPassword", "x", "named like a password"},
		{"db.password", "123456", "named like a password"},
		{"MYSQL_PWD", "x", "named like a password"},
		{"SMTP_PASS", "x", "named like a password"},
		{"KEY_PASSPHRASE", "x", "named like a passphrase"},
		{"STRIPE_API_KEY", "x", "named like a key"},
		{"STRIPE_APIKEY", "x", "named like a key"},
		{"SSH_PRIVATE_KEY", "x", "named like a key"},
		{"S3_ACCESS_KEY", "x", "named like a key"},
		{"APP_KEY", "0123456789abcdef", "named like a key"},
		{"AWS_CREDENTIALS", "x", "named like a credential"},
		{"SENTRY_DSN", "https://abc@sentry.example/1", "named like a connection string"},
		{"AZURE_CONNECTION_STRING", "x", "named like a connection string"},
		{"TEAMS_WEBHOOK_URL", "https://example.com/hook", "named like a webhook"},
		{"GITHUB_TOKEN", "x", "named like a token"},
		{"APP_JWT", "x", "named like a token"},
		{"VAULT_SECRET_ID", "0c1d2e3f-0000-4000-8000-0123456789ab", "named like a secret"},
		{"TOKEN_2", "x", "named like a token"},
		// By value, whatever the name.
		{"X", "postgres://app:pw@db:5432/x", "a URL with a password"},
		{"X", "redis://:pw@cache", "a URL with a password"},
		{"X", "https://a.example, https://u:p@b.example/", "a URL with a password"},
		{"X_FILE", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "a private key"},
		{"X", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "a private key"},
		{"X", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "a private key"},
		{"X", "ghp_0123456789abcdefghij", "a GitHub token"},
		{"X", "glpat-0123456789abcdefghij", "a GitLab token"},
		{"X", "xoxb-0123456789-abcdefghij", "a Slack token"},
		{"X", "AKIAIOSFODNN7EXAMPLE", "an AWS access key"},
		{"X", "sk_live_0123456789abcdefghij", "a Stripe key"},
		{"X", "hvs.0123456789abcdefghij", "a Vault token"},
		{"X", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln", "a signed token (JWT)"},
		{"X", "Server=db;User Id=app;Password=pw", "a connection string with a password"},
		{"X", "host=db user=app password=pw", "a connection string with a password"},
		{"X", "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=abc==", "a connection string with a password"},
		{"X", "jdbc:postgresql://db/x?user=a&password=pw", "a connection string with a password"},
		{"X", "app:pw@tcp(db:3306)/x", "a connection string with a password"},
		{"X", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "a password hash"},
		{"X", "https://hooks.slack.com/services/T000/B000/XXXXXXXX", "a webhook address"},
		{"X", "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\nMIIE", "a private key"},
		{"GOOGLE_SERVICE_JSON", `{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\nMIIE"}`, "a private key"},
		{"GOOGLE_SERVICE_JSON", `{ "type" : "service_account", "private_key" : "MIIE" }`, "JSON with a secret"},
		{"X", `{"db":{"user":"app","password":"pw"}}`, "JSON with a secret"},
		{"X", `{"kty":"oct","k":"c2VjcmV0"}`, "JSON with a secret"},
		{"PUBLIC_KEYS", "-----BEGIN PRIVATE KEY-----\nMIIE", "a private key"},
		{"PUBLIC_URL", "https://app:pw@example.com", "a URL with a password"},
		{"X", "  postgres://app:pw@db  ", "a URL with a password"},
		{"X", "9f86d081884c7d659a2feaa0c55ad015", "a long random string"},
		{"X", "q8Zt3Vw0Lx5PbN7cRk2YfJ1mHd6G", "a long random string"},
	}
	for _, test := range tests {
		if reason, ok := LooksSecret(test.name, []byte(test.value)); !ok || reason != test.reason {
			t.Errorf("LooksSecret(%q, %q) = %q, %v, want %q", test.name, test.value, reason, ok, test.reason)
		}
	}
}

func TestLooksSecretNot(t *testing.T) {
	tests := []struct{ name, value string }{
		{"PORT", "8080"},
		{"FEATURE_X", "true"},
		{"NODE_ENV", "production"},
		{"PUBLIC_URL", "https://example.com"},
		{"PUBLIC_URL", "https://example.com:8443/@scope/x?a=1#b"},
		{"MAZEVAULT_VAULT_KEY_FILE", "/opt/mazevault/vault.key"},
		{"LICENSE_FILE", "/etc/license.lic"},
		{"DB_PASSWORD_FILE", "/run/secrets/db"},
		{"TLS_KEY", "/etc/tls/private/server.key.pem"},
		{"SSH_PRIVATE_KEY", `C:\keys\id_rsa`},
		{"TLS_KEY_PATH", "tls/server.key"},
		{"TOKEN_TTL", "3600"},
		{"TOKEN_URL", "https://login.example.com/oauth2/token"},
		{"JWT_EXPIRES_IN", "15m"},
		{"JWT_ALGORITHM", "HS256"},
		{"JWT_ISSUER", "https://example.com"},
		{"PASSWORD_MIN_LENGTH", "12"},
		{"PASSWORD_RESET_ENABLED", "true"},
		{"REQUIRE_PASSWORD", "yes"},
		{"CLIENT_ID", "0c1d2e3f-0000-4000-8000-0123456789ab"},
		{"TENANT", "0c1d2e3f-0000-4000-8000-0123456789ab"},
		{"SECRET_ID", "prod/app"},
		{"CACHE_KEY", "application-cache-prefix"},
		{"SORT_KEY", "created_at"},
		{"SSH_PUBLIC_KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0x"},
		{"LICENSE_PUBLIC_KEY", "MCowBQYDK2VwAyEAq8Zt3Vw0Lx5PbN7cRk2YfJ1mHd6G"},
		{"STRIPE_PUBLISHABLE_KEY", "pk_live_q8Zt3Vw0Lx5PbN7cRk2YfJ1m"},
		{"JWT_PUBLIC_KEY", "MCowBQYDK2VwAyEAq8Zt3Vw0Lx5PbN7cRk2YfJ1mHd6G"},
		{"NEXT_PUBLIC_API_KEY", "q8Zt3Vw0Lx5PbN7cRk2YfJ1mHd6G"},
		{"NEXT_PUBLIC_ANON_TOKEN", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln"},
		{"X", `{"password":"","user":"app"}`},
		{"X", `{"kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`},
		{"X", `["password","token"]`},
		{"HOTKEY", "ctrl+k"},
		{"MONKEY", "banana"},
		{"KEYBOARD_LAYOUT", "us"},
		{"COMPASS", "north"},
		{"TOKENIZER", "bert-base-uncased"},
		{"GIT_COMMIT", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"},
		{"IMAGE", "registry.example.com/app@sha256:9f86d081884c7d659a2feaa0c55ad015"},
		{"SERVER_NAME", "MyApplication-Production-Server01-EuropeWest"},
		{"X", "MyApplication-Production-Server01-EuropeWest"},
		{"NODE_OPTIONS", "--max-old-space-size=4096"},
		{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"},
		{"PWD", "/root"},
		{"OLDPWD", "/home/app"},
		{"NUMBER", "12345678901234567890123456789012"},
		{"ZEROS", "00000000000000000000000000000000"},
		{"CERT", "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----"},
		{"SMTP_FROM", "Support <noreply@example.com>"},
		{"ALLOWED_ORIGINS", "https://a.example.com,https://b.example.com"},
		{"TIMEZONE", "Europe/Prague"},
		{"WEBHOOK_TIMEOUT", "30s"},
		{"", "x"},
		{"JWT_SECRET", ""},
		{"JWT_SECRET", " \t\n"},
	}
	for _, test := range tests {
		if reason, ok := LooksSecret(test.name, []byte(test.value)); ok || reason != "" {
			t.Errorf("LooksSecret(%q, %q) = %q, %v", test.name, test.value, reason, ok)
		}
	}
}

// TestLooksSecretFindsRandomValues draws values as generators print them.
func TestLooksSecretFindsRandomValues(t *testing.T) {
	missed := 0
	const rounds = 2000
	for range rounds {
		b := make([]byte, 32)
		rand.Read(b)
		for _, value := range []string{hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b)} {
			if _, ok := LooksSecret("SOMETHING", []byte(value)); !ok {
				missed++
			}
		}
	}
	if missed > rounds/100 {
		t.Errorf("missed %d of %d", missed, 3*rounds)
	}
}

// FuzzLooksSecret holds that nothing of a value gets into the reason: it is one of a
// few fixed phrases, so it cannot depend on more than which of them applies.
func FuzzLooksSecret(f *testing.F) {
	f.Add("JWT_SECRET", []byte("x"))
	f.Add("X", []byte("postgres://app:pw@db:5432/x"))
	f.Add("X", []byte("-----BEGIN PRIVATE KEY-----\nMIIE"))
	f.Add("x.y-zKey", []byte("a=b;password=c"))
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		before := bytes.Clone(value)
		reason, ok := LooksSecret(name, value)
		if ok != (reason != "") || len(reason) > 40 {
			t.Errorf("%q, %v", reason, ok)
		}
		if !bytes.Equal(before, value) {
			t.Error("the value was changed")
		}
		if len(bytes.TrimSpace(value)) == 0 && ok {
			t.Error("a blank value is a secret")
		}
	})
}
