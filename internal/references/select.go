package references

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/jsontext"
)

// Errors of what a store gave, to branch on with errors.Is. None has anything of it.
var (
	// ErrNoKey: the secret is there, and has nothing where the pointer leads.
	ErrNoKey = errors.New("the secret does not have what the pointer selects")

	// ErrNotJSON: a pointer leads into a secret that is not JSON.
	ErrNotJSON = errors.New("the secret is not JSON, so that no pointer leads into it")

	// ErrBinary: the secret is not text.
	ErrBinary = errors.New("the secret is not UTF-8 text; add ?encoding=base64 to the reference")
)

// MaxValueLen is the most that [Ref.AppendValue] appends for content of so many bytes.
func (r Ref) MaxValueLen(contentBytes int) int {
	if r.Base64 {
		return base64.StdEncoding.EncodedLen(contentBytes)
	}
	return contentBytes
}

// AppendValue appends to dst what the reference selects of a secret's content: without a pointer all of it, but of a secret of
// HashiCorp Vault with one key the value of that. It allocates nothing for values where dst has room for MaxValueLen more bytes.
// The error wraps ErrNoKey, ErrNotJSON or ErrBinary.
func (r Ref) AppendValue(dst, content []byte) ([]byte, error) {
	switch {
	case r.Base64:
		return base64.StdEncoding.AppendEncode(dst, content), nil
	case !utf8.Valid(content):
		return dst, ErrBinary
	case r.HasPointer:
		return appendSelected(dst, content, r.Pointer)
	case r.Scheme == Vault:
		if only, ok := onlyMember(content); ok {
			return appendText(dst, only, "")
		}
	}
	return append(dst, content...), nil
}

// onlyMember is the value of the member of an object that has one.
func onlyMember(document []byte) (value []byte, ok bool) {
	s := jsontext.NewScanner(document)
	members := 0
	s.Object(func([]byte) {
		value = s.Value()
		members++
	})
	return value, s.End() && members == 1
}

func appendSelected(dst, document []byte, pointer []string) ([]byte, error) {
	s := jsontext.NewScanner(document)
	at := s.Value()
	if !s.End() {
		return dst, ErrNotJSON
	}
	for i, token := range pointer {
		var problem string
		switch at[0] {
		case '{':
			at, problem = member(at, token)
		case '[':
			at, problem = element(at, token)
		default:
			problem = "what has it is neither an object nor an array"
		}
		if problem != "" {
			return dst, fmt.Errorf("%w: %s: %s", ErrNoKey, pointerText(pointer[:i+1]), problem)
		}
	}
	return appendText(dst, at, pointerText(pointer))
}

// member finds a member of an object.
func member(object []byte, name string) (value []byte, problem string) {
	s := jsontext.NewScanner(object)
	found := 0
	s.Object(func(key []byte) {
		v := s.Value()
		if means(key, name) {
			value = v
			found++
		}
	})
	switch found {
	case 0:
		return nil, "there is no such key"
	case 1:
		return value, ""
	}
	return nil, "the key is there more than once"
}

// means tells whether a key as it stands in JSON, less its quotes, is the name. It copies nothing.
func means(key []byte, name string) bool {
	for len(key) > 0 {
		piece := key[:1]
		var decoded [utf8.UTFMax]byte
		size := 1
		if key[0] == '\\' {
			r, n := jsontext.Escaped(key)
			if n == 0 {
				return false
			}
			piece, size = decoded[:utf8.EncodeRune(decoded[:], r)], n
		}
		if len(name) < len(piece) || name[:len(piece)] != string(piece) {
			return false
		}
		key, name = key[size:], name[len(piece):]
	}
	return name == ""
}

// element finds an element of an array by its number, which has no zero in front (RFC 6901, section 4).
func element(array []byte, token string) (value []byte, problem string) {
	index, err := strconv.Atoi(token)
	if err != nil || index < 0 || strconv.Itoa(index) != token {
		return nil, "an array has numbers"
	}
	s := jsontext.NewScanner(array)
	at := 0
	s.Array(func() {
		v := s.Value()
		if at == index {
			value = v
		}
		at++
	})
	if value == nil {
		return nil, "there is no such element"
	}
	return value, ""
}

// appendText appends a string's text, or any other JSON as it stands: a number keeps its digits.
func appendText(dst, value []byte, pointer string) ([]byte, error) {
	if string(value) == "null" {
		return dst, fmt.Errorf("%w: %s: it is null", ErrNoKey, pointer)
	}
	if value[0] != '"' {
		return append(dst, value...), nil
	}
	text, ok := jsontext.AppendUnquoted(dst, value)
	if !ok {
		return dst, ErrNotJSON
	}
	return text, nil
}
