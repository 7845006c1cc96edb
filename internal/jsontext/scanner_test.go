package jsontext

import (
	"strings"
	"testing"
)

func TestSkip(t *testing.T) {
	for text, want := range map[string]bool{
		`{"a": {"b": [1, -2.5e9, true, null, "x\"}"]}, "n": 7, "c": []}`: true,
		`{"a": [}, "n": 7}`: false,
		`{"a": , "n": 7}`:   false,
		`{"a": "x, "n": 7}`: false,
		`{"n": 7}`:          true,
		`{"a": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `, "n": 7}`: false,
	} {
		s := NewScanner([]byte(text))
		got := ""
		s.Object(func(key []byte) {
			if string(key) == "n" {
				got = string(s.Literal())
			} else {
				s.Skip()
			}
		})
		if ok := s.End(); ok != want || ok && got != "7" {
			t.Errorf("%s: %v, %q", text, ok, got)
		}
	}
}
