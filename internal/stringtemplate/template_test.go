package stringtemplate_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/mazevault/vault-tool/internal/stringtemplate"
)

var list = []string{"one", "two", "", "<four & 4>"}

var errNo = errors.New("no")

func upper(s string) (string, error) {
	if s == "no" {
		return "", errNo
	}
	return strings.ToUpper(s), nil
}

// ours and theirs are the same functions.
var ours = map[string]stringtemplate.Function{
	"upper": {Takes: []stringtemplate.Kind{stringtemplate.String}, Call: func(a []any) (any, error) { return upper(a[0].(string)) }},
	"has":   {Takes: []stringtemplate.Kind{stringtemplate.String}, Call: func(a []any) (any, error) { return a[0] == "one", nil }},
	"list":  {Call: func([]any) (any, error) { return list, nil }},
	"empty": {Call: func([]any) (any, error) { return []string(nil), nil }},
	"show":  {Takes: []stringtemplate.Kind{stringtemplate.Any}, Call: func(a []any) (any, error) { return fmt.Sprintf("%T %v", a[0], a[0]), nil }},
}

var theirs = template.FuncMap{
	"upper": upper,
	"has":   func(s string) bool { return s == "one" },
	"list":  func() []string { return list },
	"empty": func() []string { return nil },
	"show":  func(a any) string { return fmt.Sprintf("%T %v", a, a) },
}

// compare fills a template here and with text/template, and tells where they differ.
func compare(t *testing.T, text string) (out string, failed bool) {
	t.Helper()
	parsed, err := stringtemplate.Parse("T", text, ours)
	reference, refErr := template.New("T").Option("missingkey=error").Funcs(theirs).Parse(text)
	if fmt.Sprint(err) != fmt.Sprint(refErr) {
		t.Errorf("%s\nparsing says %v, and text/template %v", text, err, refErr)
	}
	if err != nil || refErr != nil {
		return "", true
	}
	var got, want bytes.Buffer
	err, refErr = parsed.Execute(&got, ours), reference.Execute(&want, nil)
	if (err == nil) != (refErr == nil) {
		t.Errorf("%s\nerror %v, and of text/template %v", text, err, refErr)
	}
	if errors.Is(err, errNo) != errors.Is(refErr, errNo) {
		t.Errorf("%s\nerror %v, and of text/template %v: one is the function's", text, err, refErr)
	}
	if err == nil && refErr == nil && got.String() != want.String() {
		t.Errorf("%s\ngives %q, and with text/template %q", text, &got, &want)
	}
	return got.String(), err != nil
}

var texts = []string{
	``, `text`, `{{/* comment */}}`, `{{ "a" }}{{ 1 }}{{ 1.5 }}{{ 'a' }}{{ 0x10 }}{{ 1e3 }}{{ 2i }}{{ true }}{{ . }}{{ $ }}`,
	`{{ nil }}`, `{{ .Field }}`, `{{ (upper "a").Field }}`, `{{ $x := "a" }}{{ $x.Field }}`, `{{ 9223372036854775808 }}`,
	`{{ upper "a" }}{{ "a" | upper }}{{ upper }}`, `{{ upper 5 }}`, `{{ upper nil }}`, `{{ upper list }}`, `{{ 5 | upper }}`, `{{ upper "a" "b" }}`, `{{ upper "no" }}`, `{{ upper (upper "no") }}`,
	`{{ range list }}{{ . }},{{ else }}none{{ end }}`, `{{ range empty }}{{ . }}{{ else }}none{{ end }}`, `{{ range $i, $e := list }}{{ $i }}{{ $e }}{{ end }}`,
	`{{ range $e := list }}{{ if eq $e "two" }}{{ continue }}{{ end }}{{ $e }}{{ if not $e }}{{ break }}{{ end }}{{ end }}`,
	`{{ $i := 0 }}{{ $e := "" }}{{ range $i, $e = list }}{{ end }}{{ $i }}{{ $e }}`, `{{ $e := "" }}{{ range $e = list }}{{ end }}{{ $e }}`,
	`{{ range 3 }}{{ . }}{{ end }}`, `{{ range $i := 3 }}{{ show $i }}{{ end }}`, `{{ range $i, $e := 3 }}{{ end }}`, `{{ range "abc" }}{{ end }}`, `{{ range true }}{{ end }}`, `{{ range . }}a{{ else }}b{{ end }}`,
	`{{ range (index "\x02" 0) }}{{ show . }}{{ end }}`, `{{ range 0 }}a{{ else }}b{{ end }}`, `{{ range -1 }}a{{ else }}b{{ end }}`,
	`{{ if list }}a{{ end }}{{ if empty }}b{{ else if 0.0 }}c{{ else }}d{{ end }}{{ with "x" }}{{ . }}{{ $ }}{{ else with "y" }}{{ . }}{{ end }}{{ with "" }}a{{ else }}{{ . }}{{ end }}`,
	`{{ $x := "a" }}{{ if true }}{{ $x = "b" }}{{ $y := "c" }}{{ $x }}{{ $y }}{{ end }}{{ $x }}`, `{{ if $x := "a" }}{{ $x }}{{ end }}`, `{{ if true }}{{ $y := 1 }}{{ end }}{{ $y }}`,
	`{{ define "x" }}{{ . }}{{ $ }}{{ end }}{{ template "x" }}{{ template "x" "a" }}{{ block "y" 5 }}{{ . }}{{ end }}{{ template "z" }}`,
	`{{ define "T" }}a{{ end }}b`, `{{ define "x" }}{{ template "x" }}{{ end }}a`,
	`{{ len "abc" }}{{ len list }}{{ len empty }}`, `{{ len 5 }}`, `{{ len nil }}`, `{{ len . }}`,
	`{{ index list 1 }}{{ index "abc" 1 }}{{ index list 1 1 }}{{ index list }}{{ show (index "abc" 0) }}`, `{{ index list 4 }}`, `{{ index list -1 }}`, `{{ index "abc" 3 }}`, `{{ index list "a" }}`, `{{ index 5 1 }}`, `{{ index nil 1 }}`, `{{ index . }}`, `{{ index empty 0 }}`, `{{ index list (index "\x01" 0) }}`, `{{ index list 1.0 }}`,
	`{{ slice "abcdef" 1 3 }}{{ slice "abc" 1 }}{{ slice "abc" }}{{ slice list 1 2 }}{{ slice list 1 2 3 }}{{ len (slice list 0 4 4) }}`, `{{ slice "abc" 2 1 }}`, `{{ slice "abc" 1 2 3 }}`, `{{ slice list 1 9 }}`, `{{ slice list 2 3 1 }}`, `{{ slice 5 }}`, `{{ slice nil }}`, `{{ slice list 1 2 3 4 }}`, `{{ slice (slice list 0 1) 0 3 }}`, `{{ slice "abc" 3 }}`, `{{ slice "abc" 4 }}`,
	`{{ and 1 0 "x" }}{{ or 0 "" "x" "y" }}{{ and "a" "b" }}{{ or "" 0 }}{{ not list }}{{ "x" | and "" }}{{ "x" | and "y" }}{{ "x" | or "" }}{{ or nil "x" }}{{ and nil }}`, `{{ and }}`, `{{ not }}`, `{{ or true (upper "no") }}`, `{{ and true (upper "no") }}`, `{{ "x" | or }}`,
	`{{ print "a" 1 2 "b" nil }}{{ println "a" list }}{{ printf "%s %d %v" "a" 5 list }}{{ printf "%d" "a" }}{{ printf "%q" 'x' }}{{ print }}`, `{{ printf }}`, `{{ printf 5 }}`, `{{ printf list }}`, `{{ "a" | printf "%s-%s" "b" }}`, `{{ "%d" | printf }}`,
	`{{ html "<a>" }}{{ html 5 "<" list }}{{ js "a'b" }}{{ urlquery "a b" "c" }}{{ html nil }}{{ html }}{{ "<" | html }}`,
	`{{ eq 1 1 }}{{ eq "a" "b" "a" }}{{ eq 1.5 1.5 }}{{ eq true false }}{{ eq 'a' (index "a" 0) }}{{ eq nil nil }}{{ eq . nil }}{{ eq empty nil }}{{ eq list nil }}{{ eq "a" nil }}{{ eq nil "a" 5 }}{{ eq 1i 1i }}`,
	`{{ eq 1 "a" }}`, `{{ eq 1 1.0 }}`, `{{ eq list list }}`, `{{ eq empty empty }}`, `{{ eq list "a" }}`, `{{ eq "a" list }}`, `{{ eq }}`, `{{ eq 1 }}`, `{{ ne 1 2 }}{{ ne "a" "a" }}`, `{{ ne 1 "a" }}`, `{{ ne 1 2 3 }}`,
	`{{ lt 1 2 }}{{ lt "a" "b" }}{{ lt 1.5 2.5 }}{{ le 2 2 }}{{ gt 3 2 }}{{ ge 2 2 }}{{ lt (index "a" 0) 98 }}{{ gt "b" "a" }}`, `{{ lt true false }}`, `{{ lt 1 "a" }}`, `{{ lt nil 1 }}`, `{{ lt list list }}`, `{{ lt 1i 2i }}`, `{{ le 1 "a" }}`, `{{ gt nil nil }}`, `{{ ge 1 }}`,
	`{{ call upper "a" }}`, `{{ call nil }}`, `{{ call "a" }}`, `{{ call }}`, `{{ "a" 5 }}`, `{{ 5 | "a" }}`, `{{ ("a") 5 }}`, `{{ $x := 1 }}{{ $x 5 }}`, `{{ true | not }}`, `{{ list | len }}`, `{{ show list }}{{ show nil }}{{ show 1 }}{{ show 'a' }}{{ show . }}`, `{{ has "one" }}{{ has "x" }}`,
	`{{- "a" -}} b {{- "c" }}`, `{{ $x := list }}{{ range $x }}{{ $x }}{{ end }}`, `{{ range list }}{{ range list }}{{ break }}{{ end }}a{{ end }}`, `{{ break }}`, `{{ range list }}{{ with . }}{{ continue }}{{ end }}b{{ end }}`, `{{ range $i, $e := list }}{{ template "q" $e }}{{ end }}{{ define "q" }}<{{ . }}>{{ end }}`,
}

func TestAsTextTemplate(t *testing.T) {
	t.Parallel()
	for _, text := range texts {
		compare(t, text)
	}
}

// TestErrors: where, what stands there, and why.
func TestErrors(t *testing.T) {
	t.Parallel()
	parsed, err := stringtemplate.Parse("T", "a\n{{ upper (upper \"no\") }}", ours)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, ours)
	var typed *stringtemplate.Error
	if !errors.As(err, &typed) || typed.Location != "T:2:10" || !strings.Contains(typed.Piece, `upper "no"`) || !errors.Is(err, errNo) {
		t.Errorf("error %#v", err)
	}
}

// maker makes templates of all that there is, by chance.
type maker struct{ *rand.Rand }

func (m maker) one(choices ...string) string { return choices[m.IntN(len(choices))] }

func (m maker) value(depth int) string {
	if depth > 0 && m.IntN(3) == 0 {
		return "(" + m.command(depth-1) + ")"
	}
	return m.one(`"one"`, `"two"`, `""`, `"no"`, `1`, `0`, `-1`, `2`, `1.5`, `'a'`, `0x2`, `1i`, `true`, `false`, `nil`, `.`, `$`, `$x`, `list`, `empty`, `.F`, `9999999999999999999`)
}

func (m maker) command(depth int) string {
	if m.IntN(4) == 0 {
		return m.value(depth)
	}
	text := m.one("upper", "has", "show", "list", "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery",
		"eq", "ne", "lt", "le", "gt", "ge", "call", `printf "%v %s"`)
	for range m.IntN(4) {
		text += " " + m.value(depth)
	}
	if depth > 0 && m.IntN(4) == 0 {
		text += " | " + m.command(depth-1)
	}
	return text
}

func (m maker) body(depth int) string {
	text := ""
	for range m.IntN(4) {
		if depth == 0 {
			text += m.one("text", "{{ "+m.command(2)+" }}", "{{ $x = "+m.command(1)+" }}", "{{ $x := "+m.command(1)+" }}", "{{ template \"q\" "+m.command(1)+" }}")
			continue
		}
		inner := m.body(depth - 1)
		other := m.one("", "{{ else }}"+m.body(depth-1), "{{ else if "+m.command(1)+" }}"+m.body(depth-1))
		text += m.one(
			"{{ if "+m.command(1)+" }}"+inner+other+"{{ end }}",
			"{{ with "+m.command(1)+" }}"+inner+"{{ end }}",
			"{{ with $x := "+m.command(1)+" }}"+inner+"{{ end }}",
			"{{ range "+m.command(1)+" }}"+inner+m.one("", "{{ break }}", "{{ if . }}{{ continue }}{{ end }}c")+"{{ else }}e{{ end }}",
			"{{ range $x := "+m.command(1)+" }}"+inner+"{{ end }}",
			"{{ range $y, $x := "+m.command(1)+" }}{{ $y }}"+inner+"{{ end }}",
			"{{ range $x = "+m.command(1)+" }}"+inner+"{{ end }}",
		)
	}
	return text
}

func (m maker) template() string {
	return `{{ $x := "x" }}` + m.body(2) + `{{ define "q" }}<{{ . }}{{ $ }}>{{ end }}`
}

func TestAsTextTemplateByChance(t *testing.T) {
	t.Parallel()
	filled := 0
	for i := range uint64(20_000) {
		if _, failed := compare(t, maker{rand.New(rand.NewPCG(i, 1))}.template()); !failed {
			filled++
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	if filled < 1000 {
		t.Errorf("only %d could be filled", filled)
	}
}

// largeNumber would make a range go on for long.
var largeNumber = regexp.MustCompile(`[0-9a-fA-F_]{4}|[eEpP][+0-9]|'`)

func FuzzAsTextTemplate(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "range") && largeNumber.MatchString(text) || strings.Count(text, "%") > 3 {
			return
		}
		compare(t, text)
	})
}
