package render

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func readTemplate(t *testing.T, text string) (*Template, error) {
	t.Helper()
	dir := t.TempDir()
	putFile(t, dir, "app.tmpl", text, 0o600)
	return ReadTemplate(filepath.Join(dir, "app.tmpl"))
}

var templateSecrets = secretMap{"A": "one", "PASSWORD": `hunter2"<&'`, "app/URL": "u"}

func TestTemplate(t *testing.T) {
	for text, want := range map[string]string{
		``:                             ``,
		`a={{ secret "A" }}!`:          `a=one!`,
		`{{ secret "PASSWORD" }}`:      `hunter2"<&'`,
		`{{ secret "A" | base64 }}`:    `b25l`,
		`{{ secret "PASSWORD"|json }}`: `"hunter2\"<&'"`,
		`{{ json names }}`:             `["A","PASSWORD","app/URL"]`,
		`{{ range names }}{{ . }}={{ secret . }};{{ end }}`:              `A=one;PASSWORD=hunter2"<&';app/URL=u;`,
		`{{ if has "B" }}b{{ else if has "A" }}a{{ end }}`:               `a`,
		`{{ if eq (secret "A") "one" }}yes{{ end }}`:                     `yes`,
		`{{ define "x" }}{{ . }}{{ end }}{{ template "x" secret "A" }}`:  `one`,
		`{{- $a := secret "A" -}} {{ printf "%s-%s" $a (secret "A") }}x`: `one-onex`,
	} {
		parsed, err := readTemplate(t, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := parsed.Execute(templateSecrets); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
		if got, err := parsed.Execute(templateSecrets); err != nil || string(got) != want {
			t.Errorf("%s, again: %q, %v", text, got, err)
		}
	}
}

// TestTemplateErrors: an error names file and line, and never a value, in whole or in part.
func TestTemplateErrors(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  error
		texts string
	}{
		{"\n {{ secret \"MISSING\" }}", ErrMissing, "app.tmpl:2: secret not found: MISSING"},
		{`{{ secret (secret "PASSWORD") }}`, ErrMissing, "app.tmpl:1: "},
		{`{{ secret (printf "%s/x" (secret "PASSWORD")) }}`, ErrMissing, "app.tmpl:1: "},
		{`{{ range secret "PASSWORD" }}{{ end }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ range (slice (secret "PASSWORD") 0 7) }}{{ end }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ (secret "PASSWORD").Field }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ index (secret "PASSWORD") "x" }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ index (secret "PASSWORD") 99 }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ call (secret "PASSWORD") }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ eq (secret "PASSWORD") 1 }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ with $x := secret "PASSWORD" }}{{ range $x }}{{ end }}{{ end }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ json (index names 9) }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ template "hunter" secret "PASSWORD" }}`, ErrTemplate, "app.tmpl:1: "},
		{"\n\n{{ nonsense }}", ErrTemplate, "app.tmpl:3: "},
		{`{{ secret "A" `, ErrTemplate, "app.tmpl:1: "},
		{`{{ secret }}`, ErrTemplate, "app.tmpl:1: "},
		{`{{ secret 5 }}`, ErrTemplate, "app.tmpl:1: "},
	} {
		parsed, err := readTemplate(t, c.text)
		if err == nil {
			var out []byte
			if out, err = parsed.Execute(templateSecrets); out != nil {
				t.Errorf("%s: partial output %q", c.text, out)
			}
		}
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.texts) {
			t.Errorf("%s: %v", c.text, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error has a value: %v", c.text, err)
		}
	}
	if _, err := ReadTemplate(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing template: %v", err)
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	write := func(o Options, content string) (Report, error) {
		f, err := OpenFile(context.Background(), path, o)
		if err != nil {
			return Report{}, err
		}
		defer func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}()
		return f.Write([]byte(content))
	}
	group := anywhere
	group.Mode = 0o440
	for i, c := range []struct {
		o              Options
		content        string
		written, first bool
	}{
		{anywhere, "one", true, true}, {anywhere, "one", false, false}, {anywhere, "two", true, false}, {group, "two", true, false}, {group, "two", false, false},
	} {
		r, err := write(c.o, c.content)
		if err != nil || r.Changed() != c.written || r.First != c.first || r.Change != "" || len(r.Written)+len(r.Unchanged) != 1 {
			t.Errorf("%d: %+v, %v", i, r, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != c.content {
			t.Errorf("%d: %q, %v", i, got, err)
		}
	}
	if got := mode(t, path); got != 0o440 {
		t.Errorf("mode %v", got)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	putFile(t, filepath.Dir(outside), "outside", "precious", 0o600)
	for _, err := range []error{os.Remove(path), os.Symlink(outside, path)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := write(anywhere, "one"); !errors.Is(err, ErrConflict) {
		t.Errorf("a link: %v", err)
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "precious" {
		t.Errorf("%q, %v", got, err)
	}
	for _, path := range []string{"", dir + "/", filepath.Join(dir, "absent", "x")} {
		if _, err := OpenFile(context.Background(), path, anywhere); err == nil {
			t.Errorf("opened %q", path)
		}
	}
}
