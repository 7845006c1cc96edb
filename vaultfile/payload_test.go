package vaultfile

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestDecodePayloadErrors(t *testing.T) {
	longest := strings.Repeat("n", MaxNameBytes)
	for _, test := range []struct {
		payload string
		want    PayloadError
	}{
		{"", PayloadError{ReasonNoPayload, 1, 1, ""}},
		{" \t\r\n \n ", PayloadError{ReasonNoPayload, 3, 2, ""}},

		{"[]", PayloadError{ReasonNotObject, 1, 1, ""}},
		{"\n  null", PayloadError{ReasonNotObject, 2, 3, ""}},
		{`"A"`, PayloadError{ReasonNotObject, 1, 1, ""}},
		{"\ufeff{}", PayloadError{ReasonNotObject, 1, 1, ""}},

		{"{", PayloadError{ReasonTruncated, 1, 2, ""}},
		{`{"A`, PayloadError{ReasonTruncated, 1, 4, ""}},
		{`{"A"`, PayloadError{ReasonTruncated, 1, 5, ""}},
		{`{"A":`, PayloadError{ReasonTruncated, 1, 6, "A"}},
		{`{"A":"1`, PayloadError{ReasonTruncated, 1, 8, "A"}},
		{`{"A":"1\`, PayloadError{ReasonTruncated, 1, 9, "A"}},
		{`{"A":"1"`, PayloadError{ReasonTruncated, 1, 9, "A"}},
		{"{\"A\":\"1\",\n", PayloadError{ReasonTruncated, 2, 1, ""}},

		{`{}x`, PayloadError{ReasonTrailingData, 1, 3, ""}},
		{"{\"A\":\"1\"}\n\n {}", PayloadError{ReasonTrailingData, 3, 2, ""}},
		{"{}\x00", PayloadError{ReasonTrailingData, 1, 3, ""}},

		{`{,}`, PayloadError{ReasonSyntax, 1, 2, ""}},
		{`{A:"1"}`, PayloadError{ReasonSyntax, 1, 2, ""}},
		{`{1:"1"}`, PayloadError{ReasonSyntax, 1, 2, ""}},
		{`{"A","1"}`, PayloadError{ReasonSyntax, 1, 5, ""}},
		{`{"A":"1",}`, PayloadError{ReasonSyntax, 1, 10, ""}},
		{"{\"A\":\"1\"\n\"B\":\"2\"}", PayloadError{ReasonSyntax, 2, 1, "A"}},
		{`{"A":"1"]`, PayloadError{ReasonSyntax, 1, 9, "A"}},
		{`{"A":}`, PayloadError{ReasonSyntax, 1, 6, "A"}},
		{`{"A":'1'}`, PayloadError{ReasonSyntax, 1, 6, "A"}},
		{"{\"A\":\"1\n\"}", PayloadError{ReasonSyntax, 1, 8, "A"}},
		{"{\"A\":\"1\t\"}", PayloadError{ReasonSyntax, 1, 8, "A"}},
		{"{\"A\n\":\"1\"}", PayloadError{ReasonSyntax, 1, 4, ""}},
		{`{"A":"1\x"}`, PayloadError{ReasonSyntax, 1, 8, "A"}},
		{`{"A":"1\u12g4"}`, PayloadError{ReasonSyntax, 1, 8, "A"}},
		{"{\f}", PayloadError{ReasonSyntax, 1, 2, ""}},
		{"{\u00a0}", PayloadError{ReasonSyntax, 1, 2, ""}},

		{"{\"A\":\"1\xff\"}", PayloadError{ReasonInvalidUTF8, 1, 8, "A"}},
		{"{\"A\":\"\xc0\x80\"}", PayloadError{ReasonInvalidUTF8, 1, 7, "A"}},
		{"{\"A\":\"\xed\xa0\x80\"}", PayloadError{ReasonInvalidUTF8, 1, 7, "A"}},
		{"{\"A\xe9\":\"1\"}", PayloadError{ReasonInvalidUTF8, 1, 4, ""}},
		{`{"A":"\ud800"}`, PayloadError{ReasonInvalidUTF8, 1, 7, "A"}},
		{`{"A":"\udc00\ud800"}`, PayloadError{ReasonInvalidUTF8, 1, 7, "A"}},
		{`{"A":"é\ud800\u0041"}`, PayloadError{ReasonInvalidUTF8, 1, 9, "A"}},
		{`{"A":"\ud83d\ud83d\ude00"}`, PayloadError{ReasonInvalidUTF8, 1, 7, "A"}},

		{`{"":"1"}`, PayloadError{ReasonBadName, 1, 2, ""}},
		{"{\n \"A B\":\"1\"}", PayloadError{ReasonBadName, 2, 2, "A B"}},
		{`{"A\nB":"1"}`, PayloadError{ReasonBadName, 1, 2, "A\nB"}},
		{`{"-A":"1"}`, PayloadError{ReasonBadName, 1, 2, "-A"}},
		{`{"` + longest + `n":"1"}`, PayloadError{ReasonBadName, 1, 2, longest[:64] + "…"}},

		{`{"A":"1","A":"2"}`, PayloadError{ReasonDuplicateName, 1, 10, "A"}},
		{`{"A":"1","\u0041":"2"}`, PayloadError{ReasonDuplicateName, 1, 10, "A"}},
		{"{\"B\":\"1\",\n\"A\":\"\\n2\",\n \"B\":\"3\"}", PayloadError{ReasonDuplicateName, 3, 2, "B"}},
		{`{"A":"1","B":"2","A":"3"}`, PayloadError{ReasonDuplicateName, 1, 18, "A"}},

		{`{"A":null}`, PayloadError{ReasonNotString, 1, 6, "A"}},
		{`{"A":true}`, PayloadError{ReasonNotString, 1, 6, "A"}},
		{`{"A":false}`, PayloadError{ReasonNotString, 1, 6, "A"}},
		{`{"A": -1}`, PayloadError{ReasonNotString, 1, 7, "A"}},
		{`{"A":0}`, PayloadError{ReasonNotString, 1, 6, "A"}},
		{"{\"A\":\n{\"B\":\"1\"}}", PayloadError{ReasonNotString, 2, 1, "A"}},
		{`{"A":["1"]}`, PayloadError{ReasonNotString, 1, 6, "A"}},
	} {
		t.Run(fmt.Sprintf("%.40q", test.payload), func(t *testing.T) {
			_, _, err := decodePayload([]byte(test.payload), false)
			var got *PayloadError
			if !errors.As(err, &got) || *got != test.want {
				t.Errorf("got %v, want %v", err, &test.want)
			}
			wantError(t, err, ErrPayload)
		})
	}
}

func TestDecodePayloadRefusesLongValue(t *testing.T) {
	payload := []byte(`{"A":"` + strings.Repeat("x", MaxValueBytes+1) + `"}`)
	_, _, err := decodePayload(payload, false)
	var got *PayloadError
	if want := (PayloadError{ReasonLongValue, 1, 7, "A"}); !errors.As(err, &got) || *got != want {
		t.Errorf("%v, want %v", err, &want)
	}
}

func TestDecodePayloadAccepts(t *testing.T) {
	for _, test := range []struct{ payload, canonical string }{
		{`{}`, `{}`},
		{" {\r\n\t} \n", `{}`},
		{`{"B":"2","A":"1","C":""}`, `{"A":"1","B":"2","C":""}`},
		{"\n{ \"A\" :\t\"1\" ,\r\n \"B\" : \"2\" }\n", `{"A":"1","B":"2"}`},
		{`{"\u0041\/b":"\"\\\/\b\f\n\r\t\u0000\u001F\u007f\u00DF\u20ac\ud83d\uDE00"}`,
			`{"A/b":"\"\\/\b\f\n\r\t\u0000\u001f` + "\x7fß€😀" + `"}`},
		{`{"A":"x\u2028\ufffd\uffffy"}`, "{\"A\":\"x\u2028\ufffd\uffffy\"}"},
		{"{\"A\":\"\u2028\ufffd\U0010ffff\"}", "{\"A\":\"\u2028\ufffd\U0010ffff\"}"},
		{`{"` + strings.Repeat("n", MaxNameBytes) + `":"1"}`, `{"` + strings.Repeat("n", MaxNameBytes) + `":"1"}`},
	} {
		v := openPayload(t, []byte(test.payload))
		if got := encoded(t, newDraft(v)); string(got) != test.canonical {
			t.Errorf("%q is written as\n%q, want\n%q", test.payload, got, test.canonical)
		}
	}
}

// TestDecodePayloadEscapeAtEveryPlace moves an escape through the eight-byte steps in which plain text
// is read and written.
func TestDecodePayloadEscapeAtEveryPlace(t *testing.T) {
	for _, special := range []string{`\n`, `\"`, `\\`, `\u0000`, `\u001f`, "é", "\U0010ffff", "\x7f", "!", "[", "]"} {
		for before := range 10 {
			for after := range 9 {
				payload := `{"A":"` + strings.Repeat("x", before) + special + strings.Repeat("~", after) + `"}`
				v := openPayload(t, []byte(payload))
				if got := encoded(t, newDraft(v)); string(got) != payload {
					t.Fatalf("%q is written as %q", payload, got)
				}
				v.Close()
			}
		}
	}
}

// TestPayloadErrorsHideValues gives broken JSON with a canary wherever a value can slip to: it must
// not show, whatever the damage.
func TestPayloadErrorsHideValues(t *testing.T) {
	const canary = "CANARY"
	whole := `{"A":"CANARY-1","B":"CANARY\n2","C":"\u0043ANARY"}`
	payloads := []string{
		`["CANARY"]`, `"CANARY"`, `CANARY`, `{CANARY`, `{"CANARY`, `{"CANARY"`, `{"CANARY"}`, `{"CANARY","A":"1"}`,
		`{"A":CANARY}`, `{"A":"1","CANARY"}`, `{"A":"1" "CANARY"}`, `{"A":"B"CANARY"}`, `{"A":"1"}CANARY`,
		`{"A":{"B":"CANARY"}}`, `{"A":["CANARY"]}`, `{"A":"CANARY","A":"CANARY"}`, `{"B":"CANARY","A":"","B":"CANARY"}`,
		"{\"A\":\"CANARY\xff\"}", "{\"A\":\"CANARY\n\"}", `{"A":"CANARY\x"}`, `{"A":"CANARY\ud800"}`,
		`{"A":"1","CANARY\ud800":"2"}`, "{\"A\":\"1\",\"CANARY\n:\"2\"}", `{"A":"1","":"CANARY"}`, `{"A":"1","a b":"CANARY"}`,
	}
	for i := range whole {
		payloads = append(payloads, whole[:i], whole[:i]+whole[i+1:], whole[:i]+`"`+whole[i:], whole[:i]+"\x00"+whole[i:],
			whole[:i]+`\`+whole[i:], whole[:i]+","+whole[i:])
	}
	for _, payload := range payloads {
		_, _, err := decodePayload([]byte(payload), false)
		var payloadErr *PayloadError
		if err == nil || !strings.Contains(err.Error(), canary) {
			continue
		}
		// A string in front of a colon is a name, even if it once was part of a value.
		if !errors.As(err, &payloadErr) || !strings.Contains(payload, payloadErr.Name+`":`) {
			t.Errorf("%q: %v", payload, err)
		}
	}
}

func TestValidateName(t *testing.T) {
	for _, name := range []string{
		"A", "a", "0", "_", "A-", "A.", "a..", "DATABASE_URL", "acme/team-1/API.key", "a/-b", "a/.b", "a/b.", "a/...", "a/..b", strings.Repeat("n", MaxNameBytes),
	} {
		if err := ValidateName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", "-", "-A", "/", "/A", "A/", "a//b", "a///b", "A B", "A=B", "A\n", "A\x00", "é", "\xff", `A\B`, "A:B", "A@B",
		".", "..", "a/.", "a/..", "a/./b", "a/../b", "../a", "./a", ".env", ".history/A", "...", strings.Repeat("n", MaxNameBytes+1),
	} {
		wantError(t, ValidateName(name), ErrBadName)
	}
}

// TestStepOver reads payloads with the tool's entries stepped over and decoded: the secrets are the same, and so are the errors.
func TestStepOver(t *testing.T) {
	for _, payload := range []string{
		`{".a":"1",".b":"\"x\u00e9\n","A":"1","B":"2"}`, `{".a":"1"}`, `{ ".a" : "1" , "A":"1"}`, `{"A":"1"}`, `{}`, `{".a":"1","A":"1",".b":"2"}`,
		`{".b":"1",".a":"2","A":"1"}`, `{".a":"1",".a":"2","A":"1"}`, `{".a":"1","A":"1",".a":"2"}`, `{"\u002ea":"1","A":"1"}`, `{".a\u0062":"1",".ab":"2"}`,
		`{".a":"1","A":"1","A":"2"}`, `{".a":1,"A":"1"}`, `{".a":"\ud800","A":"1"}`, `{".a":"` + "\xff" + `","A":"1"}`, `{".a":"x`, `{".a":"1"`, `{".a":"1",`, `{".a":"1",}`,
		`{".a":"1"} x`, `{".a b":"1"}`, `{".a/../b":"1"}`, `{"` + "." + strings.Repeat("n", 255) + `":"1"}`, `{".a":"1" "A":"1"}`, `{".a":"\q","A":"1"}`, `{".a":"` + "\n" + `"}`,
	} {
		full, _, fullErr := decodeVault([]byte(payload), false)
		stepped, front, steppedErr := decodeVault([]byte(payload), true)
		var want, got *PayloadError
		if errors.As(fullErr, &want) != errors.As(steppedErr, &got) || want != nil && (got.Reason != want.Reason || got.Name != want.Name) {
			t.Errorf("%s: %v, decoded %v", payload, steppedErr, fullErr)
		}
		if want != nil {
			continue
		}
		if got, want := content(t, stepped), content(t, full); !maps.Equal(got, want) || front > len(payload) {
			t.Errorf("%s: %q, decoded %q", payload, got, want)
		}
	}
}
