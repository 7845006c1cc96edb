package credentials

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
)

// LooksSecret reports whether a setting looks like a secret, by the shape of its value
// or by its name, and if so by what: a short phrase for a report, such as "named
// like a password" or "a URL with a password". The phrase holds no part of the
// value. An empty or blank value is no secret. The value is only looked at, never
// copied.
func LooksSecret(name string, value []byte) (reason string, ok bool) {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return "", false
	}
	if reason = shape(value); reason != "" {
		return reason, true
	}
	words := splitName(name)
	if reason = namedLike(words, value); reason != "" {
		return reason, true
	}
	if !publicOrDigest(words) && isRandom(value) {
		return "a long random string", true
	}
	return "", false
}

// splitName returns the words of name in capitals: DB_PASSWORD, db.password and
// dbPassword are all DB, PASSWORD.
func splitName(name string) []string {
	var spaced strings.Builder
	lower := false
	for _, r := range name {
		if lower && unicode.IsUpper(r) {
			spaced.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			r = ' '
		}
		spaced.WriteRune(unicode.ToUpper(r))
	}
	return strings.Fields(spaced.String())
}

// secretWords are words of which one makes a name that of a secret. A word
// that ends with one counts too (PGPASSWORD, AUTHTOKEN).
var secretWords = []struct{ word, reason string }{
	{"PASSWORD", "named like a password"},
	{"PASSWD", "named like a password"},
	{"PASSPHRASE", "named like a passphrase"},
	{"PASSCODE", "named like a password"},
	{"PASSWORDS", "named like a password"},
	{"SECRET", "named like a secret"},
	{"SECRETS", "named like a secret"},
	{"TOKEN", "named like a token"},
	{"TOKENS", "named like a token"},
	{"CREDENTIAL", "named like a credential"},
	{"CREDENTIALS", "named like a credential"},
	{"APIKEY", "named like a key"},
	{"SECRETKEY", "named like a key"},
	{"PRIVATEKEY", "named like a key"},
	{"ACCESSKEY", "named like a key"},
	{"MASTERKEY", "named like a key"},
	{"CONNECTIONSTRING", "named like a connection string"},
}

// secretWholeWords count only as they are, because too many other words end with them.
var secretWholeWords = []struct{ word, reason string }{
	{"PWD", "named like a password"},
	{"PASS", "named like a password"},
	{"CREDS", "named like a credential"},
	{"JWT", "named like a token"},
	{"DSN", "named like a connection string"},
	{"CONNSTR", "named like a connection string"},
	{"WEBHOOK", "named like a webhook"},
}

// secretPairs are two words in a row that say what neither says alone.
var secretPairs = []struct{ first, second, reason string }{
	{"CONNECTION", "STRING", "named like a connection string"},
	{"CONN", "STRING", "named like a connection string"},
	{"CONN", "STR", "named like a connection string"},
	{"API", "KEY", "named like a key"},
	{"PRIVATE", "KEY", "named like a key"},
	{"ACCESS", "KEY", "named like a key"},
	{"MASTER", "KEY", "named like a key"},
	{"ENCRYPTION", "KEY", "named like a key"},
	{"SIGNING", "KEY", "named like a key"},
	{"ACCOUNT", "KEY", "named like a key"},
}

// aboutWords end the name of a setting that is about a secret and is none:
// TOKEN_TTL, PASSWORD_MIN_LENGTH, VAULT_KEY_FILE.
var aboutWords = strings.Fields(`
	FILE FILES FILENAME PATH PATHS DIR DIRECTORY FOLDER URL URI URLS ENDPOINT HOST HOSTNAME PORT DOMAIN REGION SERVER ADDR ADDRESS
	TTL EXPIRY EXPIRES EXPIRE EXPIRATION IN AGE LIFETIME TIMEOUT INTERVAL PERIOD DURATION DAYS HOURS MINUTES SECONDS SECS MS DATE AT
	LENGTH LEN SIZE BITS BYTES MIN MAX COUNT LIMIT RETRIES ATTEMPTS ROUNDS COST ITERATIONS HISTORY
	ENABLED ENABLE DISABLED DISABLE REQUIRED ALLOWED OPTIONAL POLICY COMPLEXITY RESET ROTATION
	ALGORITHM ALG ALGO TYPE KIND FORMAT ENCODING NAME NAMES ID IDS PREFIX SUFFIX HEADER ISSUER AUDIENCE SCOPE SCOPES CLAIM
	PROVIDER BACKEND STORE MANAGER ENGINE MODE VERSION REGEX PATTERN HINT LABEL FIELD COLUMN PARAM TOPIC STRATEGY`)

// plainKeys stand before KEY in names of keys that are not secret.
var plainKeys = strings.Fields(`PUBLIC PUBLISHABLE SITE PRIMARY FOREIGN SORT PARTITION HASH RANGE CACHE INDEX LOOKUP ROUTING
	OBJECT GROUP MAP UNIQUE HOT SHORTCUT`)

// namedLike returns what the words of a name say about value, or "".
func namedLike(words []string, value []byte) string {
	if len(words) == 0 || isSwitch(value) {
		return ""
	}
	last := words[len(words)-1]
	if slices.Contains(words, "WEBHOOK") && last == "URL" {
		return "named like a webhook"
	}
	if len(words) >= 2 && last == "ID" && words[len(words)-2] == "SECRET" && isUUID(value) {
		return "named like a secret"
	}
	// The path also excuses PWD, the shell's working directory.
	if slices.Contains(aboutWords, last) || isPath(value) {
		return ""
	}
	if reason := secretWord(words); reason != "" {
		return reason
	}
	if (last == "KEY" || last == "KEYS") && isKeyLike(words, value) {
		return "named like a key"
	}
	return ""
}

func secretWord(words []string) string {
	for _, word := range words {
		for _, s := range secretWords {
			if strings.HasSuffix(word, s.word) {
				return s.reason
			}
		}
	}
	for i, word := range words {
		for _, s := range secretPairs {
			if i > 0 && words[i-1] == s.first && word == s.second && !slices.Contains(words, "PUBLIC") {
				return s.reason
			}
		}
	}
	for _, s := range secretWholeWords {
		if slices.Contains(words, s.word) {
			return s.reason
		}
	}
	return ""
}

// isKeyLike judges a name that ends with KEY and says no more. The word before may
// say that the key is none of a cipher; else the value has to be long enough for one.
func isKeyLike(words []string, value []byte) bool {
	const minKeyBytes = 16
	for _, plain := range plainKeys {
		if slices.Contains(words, plain) {
			return false
		}
	}
	return len(value) >= minKeyBytes && !bytes.ContainsAny(value, " \t") && !bytes.Contains(value, []byte("://"))
}

// publicOrDigest reports whether the name announces a random-looking value that
// anyone may see.
func publicOrDigest(words []string) bool {
	for _, word := range words {
		switch word {
		case "PUBLIC", "PUBLISHABLE", "SITE", "SHA", "SHA1", "SHA256", "MD5", "COMMIT", "REVISION", "DIGEST", "CHECKSUM", "HASH",
			"FINGERPRINT", "ETAG", "VERSION", "BUILD", "ID", "UUID", "GUID", "IMAGE", "TAG", "CERT", "CERTIFICATE", "THUMBPRINT":
			return true
		}
	}
	return false
}
