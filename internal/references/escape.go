package references

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// unescape undoes percent-encoding, once. A plus is a plus.
func unescape(text string) (string, error) {
	plain, err := url.PathUnescape(text)
	switch {
	case err != nil:
		return "", errors.New("a '%' is not followed by two hexadecimal digits")
	case !utf8.ValidString(plain):
		return "", errors.New("not UTF-8")
	case strings.ContainsFunc(plain, isControl):
		return "", errors.New("a control character")
	}
	return plain, nil
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 }

// unescaped are the bytes that stand for themselves in a path, a query and a fragment alike (RFC 3986, section 3.3), less '&', which
// parts options.
const unescaped = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$'()*+,;=:@/"

func escape(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if strings.IndexByte(unescaped, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// setPointer reads a pointer in its fragment form (RFC 6901, section 6), or a key of the top level that stands alone.
func (r *Ref) setPointer(fragment string) error {
	text, err := unescape(fragment)
	switch {
	case err != nil:
		return bad("the pointer: %v", err)
	case text == "":
		return bad("the pointer behind '#' is empty")
	case text[0] != '/':
		text = "/" + text
	}
	r.HasPointer = true
	for token := range strings.SplitSeq(text[1:], "/") {
		for i := strings.IndexByte(token, '~'); i >= 0; i = next(token, i) {
			if rest := token[i+1:]; rest == "" || rest[0] != '0' && rest[0] != '1' {
				return bad("the pointer has a '~' that is neither ~0 nor ~1")
			}
		}
		r.Pointer = append(r.Pointer, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
	}
	return nil
}

// next is where the next '~' behind i stands, or -1.
func next(token string, i int) int {
	further := strings.IndexByte(token[i+1:], '~')
	if further < 0 {
		return further
	}
	return i + 1 + further
}

// pointerText is the pointer as RFC 6901 writes it.
func pointerText(pointer []string) string {
	var b strings.Builder
	for _, token := range pointer {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(token))
	}
	return b.String()
}
