package references

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const document = `{"n":1754110382,"big":1234567890123456789,"f":1.10,"e":-1E+400,"s":"a\nb","o":{"x/y":[1,"z",{"~":true}]},"b":true,"nul":null,"dup":1,"dup":2,` +
	`"empty":"","k\u00e4\"\\":"escaped","":"no name","deep":{ "a" : [ ] } }`

func TestAppendValue(t *testing.T) {
	for pointer, want := range map[string]string{
		"n": "1754110382", "big": "1234567890123456789", "f": "1.10", "e": "-1E+400", "s": "a\nb", "o": `{"x/y":[1,"z",{"~":true}]}`, "b": "true", "empty": "",
		"/o/x~1y/1": "z", "/o/x~1y/2/~0": "true", "kä\"\\": "escaped", "/": "no name", "deep": `{ "a" : [ ] }`, "/deep/a": "[ ]",
	} {
		r := Ref{Scheme: AWS}
		if err := r.setPointer(escape(pointer)); err != nil {
			t.Fatal(err)
		}
		if got, err := r.AppendValue([]byte("-"), []byte(document)); err != nil || string(got) != "-"+want {
			t.Errorf("%s: %q, %v; want %q", pointer, got, err, want)
		}
	}
	for pointer, want := range map[string]error{
		"nul": ErrNoKey, "dup": ErrNoKey, "none": ErrNoKey, "/o/x~1y/3": ErrNoKey, "/o/x~1y/01": ErrNoKey, "/o/x~1y/-1": ErrNoKey, "/o/x~1y/-": ErrNoKey, "/s/x": ErrNoKey, "N": ErrNoKey, "k": ErrNoKey,
	} {
		r := Ref{Scheme: Vault}
		if err := r.setPointer(pointer); err != nil {
			t.Fatal(err)
		}
		if got, err := r.AppendValue(nil, []byte(document)); !errors.Is(err, want) || len(got) > 0 {
			t.Errorf("%s: %q, %v", pointer, got, err)
		}
	}
}

func TestWholeValue(t *testing.T) {
	binary := []byte{0xff, 0x00, 0xfe}
	for _, test := range []struct {
		r       Ref
		content string
		want    string
		err     error
	}{
		{Ref{Scheme: AWS}, `{"only":"x"}`, `{"only":"x"}`, nil},
		{Ref{Scheme: Vault}, `{"only":"x\ty"}`, "x\ty", nil},
		{Ref{Scheme: Vault}, `{"only":12345678901234567890}`, "12345678901234567890", nil},
		{Ref{Scheme: Vault}, `{"a":"1","b":2}`, `{"a":"1","b":2}`, nil},
		{Ref{Scheme: Vault}, `{}`, `{}`, nil},
		{Ref{Scheme: Vault}, `{"only":null}`, "", ErrNoKey},
		{Ref{Scheme: Azure}, "plain", "plain", nil},
		{Ref{Scheme: Azure}, "", "", nil},
		{Ref{Scheme: GCP}, string(binary), "", ErrBinary},
		{Ref{Scheme: GCP, Base64: true}, string(binary), base64.StdEncoding.EncodeToString(binary), nil},
		{Ref{Scheme: AWS, HasPointer: true, Pointer: []string{"a"}}, "plain", "", ErrNotJSON},
		{Ref{Scheme: AWS, HasPointer: true, Pointer: []string{"a"}}, `{"a":"x"} trailing`, "", ErrNotJSON},
		{Ref{Scheme: AWS, HasPointer: true, Pointer: []string{"a"}}, `{"a":"\ud800"}`, "", ErrNotJSON},
		{Ref{Scheme: AWS, HasPointer: true, Pointer: []string{"a"}}, `{"a":"` + "\xff" + `"}`, "", ErrBinary},
	} {
		got, err := test.r.AppendValue(nil, []byte(test.content))
		if string(got) != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s %q: %q, %v", test.r, test.content, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "plain") {
			t.Errorf("%q: the error has of it: %v", test.content, err)
		}
	}
}

// TestAppendValueCopiesNothing to other memory than what it is given.
func TestAppendValueCopiesNothing(t *testing.T) {
	content := []byte(document)
	for _, r := range []Ref{{Scheme: AWS}, {Scheme: AWS, Base64: true}, {Scheme: Vault, HasPointer: true, Pointer: []string{"s"}}} {
		dst := make([]byte, 0, r.MaxValueLen(len(content)))
		got, err := r.AppendValue(dst, content)
		if err != nil || &got[0] != &dst[:1][0] {
			t.Errorf("%s: moved to other memory, %v", r, err)
		}
	}
}

// FuzzAppendValue: what is selected is what encoding/json finds, and never longer than the content.
func FuzzAppendValue(f *testing.F) {
	f.Add(document, "s")
	f.Add(document, "k\u00e4\"\\")
	f.Add(`{"a":[{"b":"\u0063"}]}`, "a")
	f.Fuzz(func(t *testing.T, content, key string) {
		r := Ref{Scheme: AWS, HasPointer: true, Pointer: []string{key}}
		got, err := r.AppendValue(nil, []byte(content))
		if len(got) > len(content) {
			t.Fatalf("%q of %q: %q", key, content, got)
		}
		if err != nil {
			return
		}
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(content), &members) != nil || members[key] == nil {
			return // an array, or what escapes mean to encoding/json
		}
		var text string
		if json.Unmarshal(members[key], &text) == nil && text != string(got) {
			t.Fatalf("%q of %q: %q, want %q", key, content, got, text)
		}
	})
}
