package credentials

import (
	"bytes"
	"math"
)

// prefixes are the beginnings that issuers give to their tokens so that they
// can be found. A token has at least minTokenBytes behind its prefix.
var prefixes = []struct{ prefix, reason string }{
	{"ghp_", "a GitHub token"}, {"gho_", "a GitHub token"}, {"ghu_", "a GitHub token"},
	{"ghs_", "a GitHub token"}, {"ghr_", "a GitHub token"}, {"github_pat_", "a GitHub token"},
	{"glpat-", "a GitLab token"}, {"gldt-", "a GitLab token"}, {"glrt-", "a GitLab token"}, {"glptt-", "a GitLab token"},
	{"xoxb-", "a Slack token"}, {"xoxp-", "a Slack token"}, {"xoxa-", "a Slack token"}, {"xoxr-", "a Slack token"},
	{"xoxs-", "a Slack token"}, {"xoxe-", "a Slack token"}, {"xapp-", "a Slack token"},
	{"sk_live_", "a Stripe key"}, {"sk_test_", "a Stripe key"}, {"rk_live_", "a Stripe key"}, {"whsec_", "a webhook secret"},
	{"hvs.", "a Vault token"}, {"hvb.", "a Vault token"}, {"hvr.", "a Vault token"},
	{"sk-", "an API key"}, {"AIza", "a Google API key"}, {"ya29.", "a Google token"},
	{"SG.", "a SendGrid key"}, {"npm_", "an npm token"}, {"pypi-", "a PyPI token"}, {"dckr_pat_", "a Docker token"},
	{"dop_v1_", "a DigitalOcean token"}, {"shpat_", "a Shopify token"}, {"dt0c01.", "a Dynatrace token"},
	{"ATATT3", "an Atlassian token"}, {"AGE-SECRET-KEY-1", "an age identity"},
	{"$2a$", "a password hash"}, {"$2b$", "a password hash"}, {"$2y$", "a password hash"},
	{"$argon2", "a password hash"}, {"$5$", "a password hash"}, {"$6$", "a password hash"},
	{"https://hooks.slack.com/services/", "a webhook address"},
	{"https://discord.com/api/webhooks/", "a webhook address"},
}

const minTokenBytes = 16

// passwordKeys are the keys, in small letters, whose values are secrets in connection
// strings and queries.
var passwordKeys = []string{
	"password", "passwd", "pwd", "pass", "secret", "token", "access_token", "api_key", "apikey", "client_secret",
	"accountkey", "sharedaccesskey", "accesskey", "sig",
}

// shape returns what value is by its form alone, or "". Value is not blank at
// its ends.
func shape(value []byte) string {
	switch {
	case isPrivateKey(value):
		return "a private key"
	case isJWT(value):
		return "a signed token (JWT)"
	case isAWSKeyID(value):
		return "an AWS access key"
	case hasURLPassword(value):
		return "a URL with a password"
	case hasPasswordPair(value) || isMySQLAddress(value):
		return "a connection string with a password"
	case bytes.Contains(value, []byte(".webhook.office.com/")):
		return "a webhook address"
	}
	for _, p := range prefixes {
		rest, ok := bytes.CutPrefix(value, []byte(p.prefix))
		if ok && len(rest) >= minTokenBytes && !bytes.ContainsAny(rest, " \t\r\n") {
			return p.reason
		}
	}
	return ""
}

func isPrivateKey(value []byte) bool {
	_, rest, ok := bytes.Cut(value, []byte("-----BEGIN "))
	if !ok {
		return bytes.HasPrefix(value, []byte("PuTTY-User-Key-File-"))
	}
	label, _, ok := bytes.Cut(rest, []byte("-----"))
	return ok && (bytes.HasSuffix(label, []byte("PRIVATE KEY")) || bytes.HasSuffix(label, []byte("PRIVATE KEY BLOCK")))
}

// isJWT reports whether value is three parts of base64url, of which the first
// begins a JSON object (RFC 7519, section 3).
func isJWT(value []byte) bool {
	if !bytes.HasPrefix(value, []byte("eyJ")) || bytes.Count(value, []byte(".")) != 2 {
		return false
	}
	for _, c := range value {
		if !isWordByte(c) && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func isAWSKeyID(value []byte) bool {
	if len(value) != 20 || !bytes.HasPrefix(value, []byte("AKIA")) && !bytes.HasPrefix(value, []byte("ASIA")) {
		return false
	}
	for _, c := range value {
		if (c < 'A' || c > 'Z') && !isDigit(c) {
			return false
		}
	}
	return true
}

// hasURLPassword reports whether value holds a URL whose authority has a
// password (RFC 3986, section 3.2.1).
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

// hasPasswordPair reports whether value is a list that has a password, such as
// Server=db;Password=x or host=db password=x, or a URL with one in its query.
func hasPasswordPair(value []byte) bool {
	for len(value) > 0 {
		pair := value
		if i := bytes.IndexAny(value, ";&?, \t\r\n"); i >= 0 {
			pair, value = value[:i], value[i+1:]
		} else {
			value = nil
		}
		key, secret, ok := bytes.Cut(pair, []byte("="))
		if !ok || len(secret) == 0 {
			continue
		}
		for _, k := range passwordKeys {
			if bytes.EqualFold(key, []byte(k)) {
				return true
			}
		}
	}
	return false
}

// isMySQLAddress reports whether value reads user:password@tcp(host)/name, which is
// how Go's MySQL driver has it.
func isMySQLAddress(value []byte) bool {
	user, rest, ok := bytes.Cut(value, []byte(":"))
	if !ok || len(user) == 0 || bytes.ContainsAny(user, "/ ") {
		return false
	}
	at := max(bytes.LastIndex(rest, []byte("@tcp(")), bytes.LastIndex(rest, []byte("@unix(")))
	return at > 0
}

// isSwitch reports whether value only turns something on or off.
func isSwitch(value []byte) bool {
	for _, s := range []string{"true", "false", "yes", "no", "on", "off", "0", "1", "enabled", "disabled", "none", "null"} {
		if bytes.EqualFold(value, []byte(s)) {
			return true
		}
	}
	return false
}

// isPath reports whether value is the path of a file. Base64 can begin with a
// slash, but hardly without a plus or an equals sign and in short parts.
func isPath(value []byte) bool {
	const maxPart = 32
	rooted := false
	for _, root := range []string{"/", "./", "../", "~/", "file:///"} {
		rooted = rooted || bytes.HasPrefix(value, []byte(root))
	}
	if len(value) > 2 && value[1] == ':' && (value[2] == '\\' || value[2] == '/') {
		return true
	}
	if !rooted || bytes.ContainsAny(value, "+=\n") {
		return false
	}
	part := 0
	for _, c := range value {
		part++
		if c == '/' {
			part = 0
		}
		if part > maxPart {
			return false
		}
	}
	return true
}

func isUUID(value []byte) bool {
	if len(value) != 36 {
		return false
	}
	for i, c := range value {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !isHex(c) {
			return false
		}
	}
	return true
}

// isRandom reports whether value looks like the hexadecimal or base64 of random bytes:
// 32 or more hexadecimal digits, or 24 or more characters in which small letters,
// capitals and digits take turns as often as chance has it and words do not.
func isRandom(value []byte) bool {
	const (
		minHexDigits    = 32
		minBase64Digits = 24
		minBitsPerByte  = 3.5
		// In random base64 the class changes behind 65 of 100 characters.
		minChanges = 0.35
	)
	var seen [4]int
	var counts [256]int
	hex, changes, last := true, 0, -1
	for _, c := range value {
		class := classOf(c)
		if class < 0 {
			return false
		}
		seen[class]++
		counts[c]++
		hex = hex && isHex(c)
		if class != classMark {
			if last >= 0 && class != last {
				changes++
			}
			last = class
		}
	}
	letters := seen[classLower] + seen[classUpper]
	if hex {
		return len(value) >= minHexDigits && letters > 0 && seen[classDigit] > 0 && entropy(&counts, len(value)) > 2.5
	}
	if len(value) < minBase64Digits || seen[classLower] == 0 || seen[classUpper] == 0 || seen[classDigit] == 0 {
		return false
	}
	return float64(changes) >= minChanges*float64(len(value)) && entropy(&counts, len(value)) >= minBitsPerByte
}

const (
	classLower = iota
	classUpper
	classDigit
	classMark
)

// classOf returns the class of a character of base64 or base64url, or -1.
func classOf(c byte) int {
	switch {
	case c >= 'a' && c <= 'z':
		return classLower
	case c >= 'A' && c <= 'Z':
		return classUpper
	case isDigit(c):
		return classDigit
	case c == '+' || c == '/' || c == '-' || c == '_' || c == '=':
		return classMark
	}
	return -1
}

// entropy returns the bits per byte of a text of n bytes with these counts.
func entropy(counts *[256]int, n int) float64 {
	bits := 0.0
	for _, count := range counts {
		if count > 0 {
			p := float64(count) / float64(n)
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func isWordByte(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}
