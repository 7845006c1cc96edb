package connections

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/jsontext"
	"github.com/mazevault/vault-tool/internal/references"
)

// The most bytes that a field may have.
const (
	maxTextBytes     = 1 << 10
	maxPasswordBytes = 64 << 10
)

// problem says what is wrong with a value of the field, or returns "". It copies nothing of a sensitive one.
func (f *Field) problem(value []byte) string {
	most := maxTextBytes
	if f.Sensitive {
		most = maxPasswordBytes
	}
	switch {
	case len(value) > most:
		return "it is too long"
	case !utf8.Valid(value):
		return "it is not UTF-8"
	case string(value) == Mask:
		return "it is what stands in the place of a value, and no value"
	case f.Kind == Choice && !slices.ContainsFunc(f.Choices, func(c string) bool { return c == string(value) }):
		return "it is none of " + strings.Join(f.Choices, ", ")
	case f.check != nil:
		return f.check(value)
	}
	return checkLine(value)
}

// checkLine refuses control characters, and blanks that a slip has left around.
func checkLine(value []byte) string {
	for _, c := range value {
		if c < ' ' || c == 0x7f {
			return "it has a line break or another control character"
		}
	}
	if value[0] == ' ' || value[len(value)-1] == ' ' {
		return "it begins or ends with a blank"
	}
	return ""
}

func checkRegion(value []byte) string {
	if !references.ValidRegion(string(value)) {
		return "it is not the name of a region, such as eu-west-1"
	}
	return ""
}

func checkProject(value []byte) string {
	if !references.ValidProject(string(value)) {
		return "it is not the id of a project"
	}
	return ""
}

func checkRoleARN(value []byte) string {
	if text := string(value); !strings.HasPrefix(text, "arn:aws") || !strings.Contains(text, ":iam::") || strings.ContainsAny(text, " \t\r\n") {
		return "it is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME"
	}
	return checkLine(value)
}

// checkToken wants one word of the characters that identifiers have.
func checkToken(value []byte) string {
	for _, c := range value {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`/?#%&="'\`, c) >= 0 {
			return "it has a character that an identifier does not have"
		}
	}
	return ""
}

// checkParts wants a path of the store: parts between '/', none of which leads elsewhere.
func checkParts(value []byte) string {
	for part := range strings.SplitSeq(string(value), "/") {
		if part == "" || part == "." || part == ".." || checkToken([]byte(part)) != "" {
			return "it is not a path such as team/a, without '/' at its ends"
		}
	}
	return ""
}

func checkFile(value []byte) string {
	if !filepath.IsAbs(string(value)) {
		return "it is not an absolute path"
	}
	return checkLine(value)
}

// checkAddress wants an address at which nobody on the way can read what is sent.
func checkAddress(value []byte) string {
	if problem := checkLine(value); problem != "" {
		return problem
	}
	u, err := url.Parse(string(value))
	if err != nil || u.Hostname() == "" {
		return "it is not a URL such as https://vault.example.com"
	}
	switch {
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(string(value), "#"):
		return "it has more than a host and a path: a user, a query or a fragment"
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	case u.Scheme == "http":
		return "without https, only an address of this host will do, as http://127.0.0.1:8200"
	default:
		return "it does not begin with https://"
	}
	if u.Path != "" && u.Path != "/" && checkParts([]byte(strings.Trim(u.Path, "/"))) != "" {
		return "its path leads elsewhere"
	}
	return ""
}

// isLoopback tells whether a host is a loopback address. A name is none: what it stands for, others decide.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

func checkJSONObject(value []byte) string {
	s := jsontext.NewScanner(value)
	s.Object(func([]byte) { s.Skip() })
	if !s.End() {
		return "it is not a JSON object"
	}
	return ""
}

func checkAWS(c *Connection) string {
	keys := c.Has(accessKeyID)
	switch {
	case keys != c.Has(secretAccessKey):
		return accessKeyID + " and " + secretAccessKey + " belong together"
	case c.Has(sessionToken) && !keys:
		return sessionToken + " belongs to an " + accessKeyID
	case keys && c.Has(profile):
		return profile + " and " + accessKeyID + " exclude one another"
	}
	return ""
}

func checkAzure(c *Connection) string {
	switch {
	case c.Has(clientSecret) && !(c.Has(clientID) && c.Has(tenantID)):
		return clientSecret + " belongs to a " + clientID + " and a " + tenantID
	case c.Has(tenantID) && !c.Has(clientID):
		return tenantID + " belongs to a " + clientID
	}
	return ""
}

// loginFields are the fields that each way to log in has.
var loginFields = map[string][]string{
	AuthToken:      {token, tokenFile},
	AuthAppRole:    {roleID, secretID, authMount},
	AuthKubernetes: {role, authMount},
}

func checkVault(c *Connection) string {
	way := AuthToken
	if value, ok := c.Get(auth); ok {
		way = string(value)
	}
	for other, fields := range loginFields {
		for _, key := range fields {
			if other != way && c.Has(key) && !slices.Contains(loginFields[way], key) {
				return key + " is of no use with the login " + way
			}
		}
	}
	switch {
	case way == AuthToken && c.Has(token) && c.Has(tokenFile):
		return token + " and " + tokenFile + " exclude one another"
	case way == AuthAppRole && !(c.Has(roleID) && c.Has(secretID)):
		return "the login " + way + " needs " + roleID + " and " + secretID
	case way == AuthKubernetes && !c.Has(role):
		return "the login " + way + " needs " + role
	}
	return ""
}
