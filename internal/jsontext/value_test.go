package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestValue(t *testing.T) {
	for _, text := range []string{
		`0`, `-0`, `10`, `1.10`, `-1.5e+10`, `2E-3`, `1e5`, `""`, `"a\"]}"`, `true`, `false`, `null`, `[]`, `{}`, `[1,[2,{"a":[]}],"]"]`, `{"a":{"b":"}"},"c":0}`,
		` [ 1 , 2 ] `, "{\n\"a\" : null\t}",
	} {
		s := NewScanner([]byte(text))
		if got := string(s.Value()); got != strings.TrimSpace(text) || !s.End() {
			t.Errorf("%q: %q", text, got)
		}
	}
	for _, text := range []string{
		``, ` `, `-`, `01`, `1.`, `.5`, `1e`, `1e+`, `+1`, `tru`, `nul`, `[`, `[1`, `[1,`, `[1,]`, `[,]`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `"`, `"a`, `1 2`, `NaN`, "\"\n\"",
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), strings.Repeat(`{"a":`, 1_000_000),
	} {
		s := NewScanner([]byte(text))
		if value := s.Value(); value != nil && s.End() {
			t.Errorf("%.40q is taken as %.40q", text, value)
		}
	}
	deep := strings.Repeat("[", maxDepth-1) + strings.Repeat("]", maxDepth-1)
	if s := NewScanner([]byte(deep)); s.Value() == nil || !s.End() {
		t.Error("a value that is nested deeply, but not too deeply, is refused")
	}
}

// FuzzValue: what is stepped over is what encoding/json takes, but for escapes, which are not looked at here.
func FuzzValue(f *testing.F) {
	for _, text := range []string{`{"a":[1,2.5e3,"x"],"b":null}`, ` true `, `"\ud800"`, `[[[]]]`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := NewScanner([]byte(text))
		whole := s.Value() != nil && s.End()
		valid := json.Valid([]byte(text))
		if valid && !whole && strings.Count(text, "[")+strings.Count(text, "{") < maxDepth {
			t.Errorf("%q is refused", text)
		}
		if whole && !valid && !strings.Contains(text, `\`) {
			t.Errorf("%q is taken", text)
		}
	})
}
