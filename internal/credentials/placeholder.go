package credentials

import (
	"bytes"
	"slices"
	"strings"
)

// placeholders are values, in small letters and without marks, that stand where a secret is to come.
var placeholders = strings.Fields(`
	null nil none undefined na todo tbd fixme
	changeme changeit changethis changemenow changemeplease replaceme replacethis fillme fillmein placeholder dummy redacted
	yourpassword yoursecret yourtoken yourkey yourapikey yoursecretkey yoursecrethere yourpasswordhere yourtokenhere yourkeyhere yourapikeyhere
	insertpasswordhere insertkeyhere enterpasswordhere
`)

// drivers are the values by which applications choose a kind of database, queue, cache or mailer.
var drivers = strings.Fields(`
	mysql mariadb pgsql postgres postgresql sqlite sqlite3 sqlsrv mssql oracle mongodb cockroachdb
	redis memcached array file files database sync log smtp sendmail mailgun ses sqs beanstalkd rabbitmq kafka local s3 public memory
`)

// IsPlaceholder tells whether value stands where a secret is to come: null, changeme, xxxx, <your password>. It may stand in
// quotes. An empty value is none.
func IsPlaceholder(value []byte) bool {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return false
	}
	if bracketed(value) || len(bytes.Trim(value, "xX*.?-_")) == 0 && len(value) >= 3 {
		return true
	}
	const longest = 32
	if len(value) > longest {
		return false
	}
	word := make([]byte, 0, longest)
	for _, c := range bytes.ToLower(value) {
		if isDigit(c) || c >= 'a' && c <= 'z' {
			word = append(word, c)
		} else if c != '-' && c != '_' && c != ' ' && c != '.' && c != '/' && c != '!' {
			return false
		}
	}
	return slices.Contains(placeholders, string(word))
}

// bracketed tells whether value reads <text> or {{text}}, as templates have what is to be filled in.
func bracketed(value []byte) bool {
	return value[0] == '<' && value[len(value)-1] == '>' && bytes.Count(value, []byte("<")) == 1 ||
		bytes.HasPrefix(value, []byte("{{")) && bytes.HasSuffix(value, []byte("}}"))
}

// driverWords end the names of settings that choose a kind of service.
var driverWords = strings.Fields(`CONNECTION DRIVER ADAPTER ENGINE DIALECT MAILER STORE BACKEND DISK CLIENT TYPE`)

// IsDriver tells whether a setting only chooses a kind of service: DB_CONNECTION=mysql, CACHE_DRIVER=redis.
func IsDriver(name string, value []byte) bool {
	words := splitName(name)
	if len(words) == 0 || !slices.Contains(driverWords, words[len(words)-1]) {
		return false
	}
	for _, driver := range drivers {
		if bytes.EqualFold(bytes.TrimSpace(value), []byte(driver)) {
			return true
		}
	}
	return false
}
