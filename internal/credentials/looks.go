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
	words := splitName(name)
	switch {
	case hasPrivateKey(value):
		reason = "a private key"
	case containsAny(words, publicWords) && !hasURLPassword(value):
		return "", false // what everybody may see
	default:
		reason = shape(value)
	}
	if reason == "" {
		reason = namedLike(words, value)
	}
	if reason == "" && !containsAny(words, digestWords) && isRandom(value) {
		reason = "a long random string"
	}
	return reason, reason != ""
}

// splitName returns the words of name in capitals: DB_PASSWORD, db.password and
// dbPassword are all DB, PASSWORD.
func splitName(name string) []string {
	var spaced strings.Builder
	spaced.Grow(2 * len(name)) // a blank in front of each letter, at the most
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

// sign is what a name says by its words.
type sign struct {
	reason         string
	endings, whole []string
}

func (s sign) in(words []string) bool {
	before := ""
	for _, word := range words {
		pair := before + word
		if slices.Contains(s.whole, word) || slices.ContainsFunc(s.endings, func(ending string) bool { return strings.HasSuffix(pair, ending) }) {
			return true
		}
		before = word
	}
	return false
}

// signs are the words by which a name is that of a secret. An ending ends a word (PGPASSWORD, AUTHTOKEN) or two words in
// a row (API_KEY); a whole word counts only as it is, because too many others end with it. The first match counts.
var signs = []sign{
	{"named like a password", strings.Fields("PASSWORD PASSWORDS PASSWD PASSCODE"), strings.Fields("PWD PASS")},
	{"named like a passphrase", strings.Fields("PASSPHRASE"), nil},
	{"named like a secret", strings.Fields("SECRET SECRETS"), nil},
	{"named like a token", strings.Fields("TOKEN TOKENS"), strings.Fields("JWT")},
	{"named like a credential", strings.Fields("CREDENTIAL CREDENTIALS"), strings.Fields("CREDS")},
	{"named like a connection string", strings.Fields("CONNECTIONSTRING CONNSTRING CONNSTR"), strings.Fields("DSN")},
	{"named like a webhook", nil, strings.Fields("WEBHOOK")},
	{"named like a key", strings.Fields("APIKEY SECRETKEY PRIVATEKEY ACCESSKEY MASTERKEY ENCRYPTIONKEY SIGNINGKEY ACCOUNTKEY"), nil},
}

var (
	// aboutWords end the name of a setting that is about a secret and is none: TOKEN_TTL, PASSWORD_MIN_LENGTH, VAULT_KEY_FILE.
	aboutWords = strings.Fields(`
	FILE FILES FILENAME PATH PATHS DIR DIRECTORY FOLDER URL URI URLS ENDPOINT HOST HOSTNAME PORT DOMAIN REGION SERVER ADDR ADDRESS
	TTL EXPIRY EXPIRES EXPIRE EXPIRATION IN AGE LIFETIME TIMEOUT INTERVAL PERIOD DURATION DAYS HOURS MINUTES SECONDS SECS MS DATE AT
	LENGTH LEN SIZE BITS BYTES MIN MAX COUNT LIMIT RETRIES ATTEMPTS ROUNDS COST ITERATIONS HISTORY
	ENABLED ENABLE DISABLED DISABLE REQUIRED ALLOWED OPTIONAL POLICY COMPLEXITY RESET ROTATION
	ALGORITHM ALG ALGO TYPE KIND FORMAT ENCODING NAME NAMES ID IDS PREFIX SUFFIX HEADER ISSUER AUDIENCE SCOPE SCOPES CLAIM
	PROVIDER BACKEND STORE MANAGER ENGINE MODE VERSION REGEX PATTERN HINT LABEL FIELD COLUMN PARAM TOPIC STRATEGY`)
	// publicWords announce a value that everybody may see.
	publicWords = strings.Fields(`PUBLIC PUBLISHABLE SITE`)
	// plainKeys stand before KEY in names of keys that are not secret.
	plainKeys = strings.Fields(`PRIMARY FOREIGN SORT PARTITION HASH RANGE CACHE INDEX LOOKUP ROUTING OBJECT GROUP MAP UNIQUE HOT SHORTCUT`)
	// digestWords announce a value that looks random and is none.
	digestWords = strings.Fields(`SHA SHA1 SHA256 MD5 COMMIT REVISION DIGEST CHECKSUM HASH FINGERPRINT ETAG VERSION BUILD ID UUID GUID
	IMAGE TAG CERT CERTIFICATE THUMBPRINT`)
	// switches turn something on or off.
	switches = strings.Fields(`true false yes no on off 0 1 enabled disabled none null`)
)

// namedLike returns what the words of a name say about value, or "".
func namedLike(words []string, value []byte) string {
	if len(words) == 0 || slices.ContainsFunc(switches, func(s string) bool { return bytes.EqualFold(value, []byte(s)) }) {
		return ""
	}
	last := words[len(words)-1]
	switch {
	case last == "URL" && slices.Contains(words, "WEBHOOK"):
		return "named like a webhook"
	case last == "ID" && len(words) > 1 && words[len(words)-2] == "SECRET" && isUUID(value):
		return "named like a secret" // of HashiCorp's AppRole
	case slices.Contains(aboutWords, last) || isPath(value): // which also excuses PWD, the shell's working directory
		return ""
	}
	for _, s := range signs {
		if s.in(words) {
			return s.reason
		}
	}
	if (last == "KEY" || last == "KEYS") && !containsAny(words, plainKeys) && isKeyLike(value) {
		return "named like a key"
	}
	return ""
}

func isUUID(value []byte) bool {
	const length, dashes = 36, 4
	return len(value) == length && bytes.Count(value, []byte("-")) == dashes && !bytes.ContainsAny(value, " ./:")
}

// isKeyLike judges the value of a setting that is named KEY and says no more: it has to be long enough for a cipher's.
func isKeyLike(value []byte) bool {
	const minKeyBytes = 16
	return len(value) >= minKeyBytes && !bytes.ContainsAny(value, " \t") && !bytes.Contains(value, []byte("://"))
}

func containsAny(words, of []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(of, word) })
}
