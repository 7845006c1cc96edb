package credentials

import (
	"bytes"
	"strings"
)

// tokens are the beginnings that issuers give to their tokens so that they can be found. A token has at least minTokenBytes
// behind its prefix.
var tokens = []struct{ reason, prefixes string }{
	{"a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_"},
	{"a GitLab token", "glpat- gldt- glrt- glptt-"},
	{"a Slack token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xapp-"},
	{"a Stripe key", "sk_live_ sk_test_ rk_live_"},
	{"a webhook secret", "whsec_"},
	{"a Vault token", "hvs. hvb. hvr."},
	{"an API key", "sk-"},
	{"a Google key", "AIza ya29."},
	{"an AWS access key", "AKIA ASIA"},
	{"a token", "SG. npm_ pypi- dckr_pat_ dop_v1_ shpat_ dt0c01. ATATT3"},
	{"an age identity", "AGE-SECRET-KEY-1"},
	{"a password hash", "$2a$ $2b$ $2y$ $argon2 $5$ $6$"},
	{"a webhook address", "https://hooks.slack.com/services/ https://discord.com/api/webhooks/"},
}

const minTokenBytes = 16

// passwordKeys are the keys, in small letters, whose values are secrets in connection strings, queries and JSON.
var passwordKeys = strings.Fields(`password passwd pwd pass secret token access_token api_key apikey client_secret private_key
	accountkey sharedaccesskey accesskey sig`)

// shape returns what value is by its form alone, or "". Value is not blank at its ends.
func shape(value []byte) string {
	switch {
	case hasURLPassword(value):
		return "a URL with a password"
	case bytes.HasPrefix(value, []byte("eyJ")) && bytes.Count(value, []byte(".")) == 2 && !bytes.ContainsAny(value, " /"):
		return "a signed token (JWT)" // RFC 7519, section 3: three parts of base64url, of which the first begins a JSON object
	case hasPasswordPair(value) || isMySQLAddress(value):
		return "a connection string with a password"
	case hasJSONSecret(value):
		return "JSON with a secret"
	case bytes.Contains(value, []byte(".webhook.office.com/")):
		return "a webhook address"
	}
	for _, t := range tokens {
		for prefix := range strings.FieldsSeq(t.prefixes) {
			rest, ok := bytes.CutPrefix(value, []byte(prefix))
			if ok && len(rest) >= minTokenBytes && !bytes.ContainsAny(rest, " \t\r\n") {
				return t.reason
			}
		}
	}
	return ""
}

// hasPrivateKey tells whether a private key stands anywhere in value (RFC 7468, section 10), in JSON too.
func hasPrivateKey(value []byte) bool {
	for rest, found := value, true; found; {
		if _, rest, found = bytes.Cut(rest, []byte("-----BEGIN ")); found {
			label, _, ends := bytes.Cut(rest, []byte("-----"))
			if ends && (bytes.HasSuffix(label, []byte("PRIVATE KEY")) || bytes.HasSuffix(label, []byte("PRIVATE KEY BLOCK"))) {
				return true
			}
		}
	}
	return bytes.HasPrefix(value, []byte("PuTTY-User-Key-File-"))
}

// hasURLPassword tells whether value holds a URL whose authority has a password (RFC 3986, section 3.2.1).
func hasURLPassword(value []byte) bool {
	for {
		_, rest, ok := bytes.Cut(value, []byte("://"))
		if !ok {
			return false
		}
		authority := rest
		if i := bytes.IndexAny(rest, "/?# \t\r\n\""); i >= 0 {
			authority = rest[:i]
		}
		if at := bytes.LastIndexByte(authority, '@'); at >= 0 {
			if colon := bytes.IndexByte(authority[:at], ':'); colon >= 0 && colon+1 < at {
				return true
			}
		}
		value = rest
	}
}

// hasPasswordPair tells whether value is a list that has a password, such as Server=db;Password=x or host=db
// password=x, or a URL with one in its query.
func hasPasswordPair(value []byte) bool {
	for pair := range bytes.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune(";&?, \t\r\n", r) }) {
		key, secret, _ := bytes.Cut(pair, []byte("="))
		if len(secret) > 0 && isPasswordKey(key) {
			return true
		}
	}
	return false
}

// hasJSONSecret tells whether value is a JSON object with a password, or a private key as JSON has it (RFC 7518,
// section 6.2.2), on its first level or below.
func hasJSONSecret(value []byte) bool {
	if value[0] != '{' && value[0] != '[' {
		return false
	}
	isJWK := bytes.Contains(value, []byte(`"kty"`))
	for {
		_, rest, ok := bytes.Cut(value, []byte(`"`))
		if !ok {
			return false
		}
		key, rest, _ := bytes.Cut(rest, []byte(`"`))
		after, isKey := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
		text, isText := bytes.CutPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte(`"`))
		if isKey && isText && !bytes.HasPrefix(text, []byte(`"`)) && (isPasswordKey(key) || isJWK && (string(key) == "d" || string(key) == "k")) {
			return true
		}
		value = rest
	}
}

func isPasswordKey(key []byte) bool {
	for _, k := range passwordKeys {
		if bytes.EqualFold(key, []byte(k)) {
			return true
		}
	}
	return false
}

// isMySQLAddress tells whether value reads user:password@tcp(host)/name, which is how Go's MySQL driver has it.
func isMySQLAddress(value []byte) bool {
	user, rest, ok := bytes.Cut(value, []byte(":"))
	if !ok || len(user) == 0 || bytes.ContainsAny(user, "/ ") {
		return false
	}
	return bytes.LastIndex(rest, []byte("@tcp(")) > 0 || bytes.LastIndex(rest, []byte("@unix(")) > 0
}

// isPath tells whether value is the path of a file. Base64 can begin with a slash, but hardly without a plus or an
// equals sign and in short parts.
func isPath(value []byte) bool {
	const maxPart = 32
	if len(value) > 2 && value[1] == ':' && (value[2] == '\\' || value[2] == '/') {
		return true
	}
	rooted := false
	for _, root := range []string{"/", "./", "../", "~/", "file:///"} {
		rooted = rooted || bytes.HasPrefix(value, []byte(root))
	}
	if !rooted || bytes.ContainsAny(value, "+=\n") {
		return false
	}
	for part := range bytes.SplitSeq(value, []byte("/")) {
		if len(part) > maxPart {
			return false
		}
	}
	return true
}

// isRandom tells whether value looks like the hexadecimal or base64 of random bytes: 32 or more hexadecimal digits, or 24
// or more characters in which small letters, capitals and digits take turns. In random base64 the kind changes behind 65
// of 100 characters, in words behind far fewer.
func isRandom(value []byte) bool {
	const (
		minHexDigits    = 32
		minBase64Digits = 24
		minChangePart   = 0.35
	)
	lower, upper, digit, hex, changes := 0, 0, 0, true, 0
	var last *int
	for _, c := range value {
		kind := &lower
		switch {
		case c >= 'a' && c <= 'z':
			hex = hex && c <= 'f'
		case c >= 'A' && c <= 'Z':
			kind, hex = &upper, hex && c <= 'F'
		case isDigit(c):
			kind = &digit
		case strings.IndexByte("+/-_=", c) >= 0:
			hex = false
			continue
		default:
			return false
		}
		*kind++
		if last != nil && last != kind {
			changes++
		}
		last = kind
	}
	if hex && digit > 0 && lower+upper > 0 {
		return len(value) >= minHexDigits
	}
	return len(value) >= minBase64Digits && lower > 0 && upper > 0 && digit > 0 && float64(changes) >= minChangePart*float64(len(value))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
