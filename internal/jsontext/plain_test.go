package jsontext

import (
	"bytes"
	"testing"
)

func TestPlainPrefix(t *testing.T) {
	for c := range 0x100 {
		for at := range 20 {
			for _, rest := range []byte{'x', 0, ' ', '"', 0xff} {
				s := bytes.Repeat([]byte{'~'}, 20)
				s[at] = byte(c)
				for i := at + 1; i < len(s); i++ {
					s[i] = rest
				}
				if got, want := PlainPrefix(s), plainPrefixByByte(s); got != want {
					t.Fatalf("PlainPrefix(%q) = %d, want %d", s, got, want)
				}
			}
		}
	}
}

func plainPrefixByByte(s []byte) int {
	for i, c := range s {
		if c < ' ' || c > '~'+1 || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
}
