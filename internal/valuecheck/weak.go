package valuecheck

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/mazevault/vault-tool/internal/credentials"
	"github.com/mazevault/vault-tool/internal/finding"
)

// weak finds passwords that are easily guessed, alone or in a URL. It says in one phrase that they are short, repetitive or common, since
// which of these it is would help to guess.
func weak(s secret, o Options) []finding.Finding {
	password := passwordIn(s)
	if len(password) == 0 || !guessable(password, s.name) {
		return nil
	}
	return s.of(finding.Warn, "value-weak", "the value is short, repetitive or common, and easily guessed; change it where it is used, and then here", o.Tool("add "+s.name))
}

// passwordIn is the part of a value that somebody would have to guess, or nil where that is none of few letters: what is no secret by its
// name, a text of several lines, a placeholder.
func passwordIn(s secret) []byte {
	value := bytes.TrimSpace(s.value)
	if bytes.ContainsAny(value, "\n") || credentials.IsPlaceholder(value) || isMarked(value) {
		return nil
	}
	if password, ok := urlPassword(value); ok {
		return password
	}
	if reason, ok := credentials.LooksSecret(s.name, value); !ok || !strings.HasPrefix(reason, "named like") || strings.HasSuffix(reason, "webhook") || strings.HasSuffix(reason, "connection string") {
		return nil
	}
	return value
}

// urlPassword is the password in the authority of a URL (RFC 3986, section 3.2.1).
func urlPassword(value []byte) ([]byte, bool) {
	_, rest, ok := bytes.Cut(value, []byte("://"))
	if !ok {
		return nil, false
	}
	if i := bytes.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	at := bytes.LastIndexByte(rest, '@')
	if at < 0 {
		return nil, false
	}
	_, password, ok := bytes.Cut(rest[:at], []byte(":"))
	return password, ok
}

// minBits is how much there is to guess in a password that is long enough: eight random letters and digits are a little less, ten are
// more.
const minBits = 50

// guessable tells whether a password is short for the kinds of characters in it, repeats itself, counts up or down, or is a word that everybody
// tries, with digits and signs behind it or not.
func guessable(password []byte, name string) bool {
	return float64(len(password))*math.Log2(alphabet(password)) < minBits || repeats(password) || counts(password) || isCommon(password, name)
}

// alphabet is how many characters there are of the kinds in a password.
func alphabet(password []byte) float64 {
	const digits, letters, others = 10, 26, 33
	size := map[int]float64{}
	for _, c := range password {
		switch {
		case c >= '0' && c <= '9':
			size[0] = digits
		case c >= 'a' && c <= 'z':
			size[1] = letters
		case c >= 'A' && c <= 'Z':
			size[2] = letters
		default:
			size[3] = others
		}
	}
	return max(size[0]+size[1]+size[2]+size[3], 2)
}

// repeats tells whether a password has few different characters, or is one part twice or more.
func repeats(password []byte) bool {
	const fewest = 5
	var seen [256]bool
	different := 0
	for _, c := range password {
		if !seen[c] {
			seen[c] = true
			different++
		}
	}
	if different < fewest {
		return true
	}
	for period := 1; period <= len(password)/2; period++ {
		if bytes.Equal(password[period:], password[:len(password)-period]) {
			return true
		}
		if period > maxPeriod {
			break
		}
	}
	return false
}

// maxPeriod bounds the work for long values: what repeats a longer part is long enough.
const maxPeriod = 64

// counts tells whether most characters are one more or one less than the one before: abcdefgh, 87654321.
func counts(password []byte) bool {
	steps := 0
	for i := 1; i < len(password); i++ {
		if d := int(password[i]) - int(password[i-1]); d == 1 || d == -1 {
			steps++
		}
	}
	const most = 0.6
	return float64(steps) > most*float64(len(password)-1)
}

// common are words, in small letters, that everybody tries first.
var common = strings.Fields(`
	password passwort passwd passphrase pass pwd secret secrets topsecret geheim token apikey key changeme default example sample demo
	admin administrator root toor superuser user guest test testing tester temp temporary qwerty qwertz qwertyuiop qwertzuiop azerty asdf
	asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx abc abcd abcde abcdef letmein welcome willkommen hello hallo login iloveyou monkey dragon master shadow
	sunshine princess football baseball superman batman trustno whatever freedom mustang michael jordan killer hunter starwars computer
	internet server database postgres postgresql mysql mariadb oracle redis rabbitmq elastic mongodb vagrant docker jenkins service company
	summer winter spring autumn sommer herbst january february monday
`)

// isCommon tells whether a password is one of the common words or the name of its secret, whatever is put for letters, in front and behind.
func isCommon(password []byte, name string) bool {
	const longest = 40 // longer than a common word with what people add
	if len(password) > longest {
		return false
	}
	var plain [longest]byte
	defer clear(plain[:])
	word := plain[:0]
	for _, c := range bytes.Trim(password, "0123456789!@#$%^&*()-_=+.,:;?/ ") {
		if letter, ok := letterFor(c); ok {
			word = append(word, letter)
		}
	}
	return len(word) > 0 && (slices.ContainsFunc(common, func(w string) bool { return string(word) == w }) || isPartOf(word, name))
}

// letterFor is the small letter that a character is, or stands for.
func letterFor(c byte) (byte, bool) {
	switch {
	case c >= 'a' && c <= 'z':
		return c, true
	case c >= 'A' && c <= 'Z':
		return c - 'A' + 'a', true
	}
	const signs, letters = "013457@$!", "oieastasi"
	if i := strings.IndexByte(signs, c); i >= 0 {
		return letters[i], true
	}
	return 0, false
}

// isPartOf tells whether a word is the name of a secret, less its signs, or one of its parts.
func isPartOf(word []byte, name string) bool {
	if len(word) > len(name) { // as most are
		return false
	}
	whole := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, name)
	return string(word) == whole || slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' }), func(part string) bool { return string(word) == part })
}
