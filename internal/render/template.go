package render

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/stringtemplate"
)

// Template is a template in the language of text/template whose functions give it the secrets:
//
//	secret "NAME"   the value; an error where there is no such secret
//	has "NAME"      whether there is
//	names           all names, sorted
//	base64 STRING   in Base64 (RFC 4648, section 4)
//	json ANY        as JSON, a string with its quotes
//
// The values become strings on the heap. No error repeats one.
type Template struct {
	path   string
	text   string
	parsed *stringtemplate.Template
}

// maxTemplateBytes is far beyond any configuration file.
const maxTemplateBytes = 16 << 20

// templateName stands for the file in what text/template says.
const templateName = "TEMPLATE"

// ReadTemplate reads and parses the template at path, which may name an open descriptor. An error wraps [ErrTemplate] and names file and line, or is the system's.
func ReadTemplate(path string) (*Template, error) {
	f, err := descriptor.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	defer f.Close() // read-only: nothing to report
	text, err := io.ReadAll(io.LimitReader(descriptor.Reader(context.Background(), f), maxTemplateBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if len(text) > maxTemplateBytes {
		return nil, fmt.Errorf("%w %s: larger than %d bytes", ErrTemplate, path, maxTemplateBytes)
	}
	t := &Template{path: path, text: string(text)}
	t.parsed, err = stringtemplate.Parse(templateName, t.text, functions(nil, nil, nil))
	if err != nil {
		// No value has been near it: what it quotes is the template's own text.
		line, message := splitLocation(err.Error())
		return nil, fmt.Errorf("%w %s: %s", ErrTemplate, t.at(line), message)
	}
	return t, nil
}

// Execute returns the template filled with the secrets of s. The caller should clear it. An error wraps [ErrMissing] or
// [ErrTemplate] and names the line, or it is one of s.
func (t *Template) Execute(s Secrets) ([]byte, error) {
	names := s.Names()
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	var failed error // of the secrets themselves
	lookup := func(name string) (value string, err error) {
		if !known[name] {
			return "", &missingError{name}
		}
		err = s.Use(name, func(b []byte) error {
			value = string(b)
			return nil
		})
		failed = err
		return value, err
	}
	var out bytes.Buffer
	if err := t.parsed.Execute(&out, functions(lookup, names, known)); err != nil {
		clear(out.Bytes())
		if failed != nil {
			return nil, fmt.Errorf("template %s: %w", t.path, failed)
		}
		return nil, t.executeError(err)
	}
	return out.Bytes(), nil
}

func functions(lookup func(string) (string, error), names []string, known map[string]bool) map[string]stringtemplate.Function {
	ofString := func(call func(string) (any, error)) stringtemplate.Function {
		return stringtemplate.Function{
			Takes: []stringtemplate.Kind{stringtemplate.String},
			Call:  func(a []any) (any, error) { return call(a[0].(string)) },
		}
	}
	return map[string]stringtemplate.Function{
		"secret": ofString(func(name string) (any, error) { return lookup(name) }),
		"has":    ofString(func(name string) (any, error) { return known[name], nil }),
		"names":  {Call: func([]any) (any, error) { return names, nil }},
		"base64": ofString(func(s string) (any, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil }),
		"json": {
			Takes: []stringtemplate.Kind{stringtemplate.Any},
			Call:  func(a []any) (any, error) { return toJSON(a[0]) },
		},
	}
}

// toJSON is json.Marshal with '<', '>' and '&' as they are: the output is no HTML.
func toJSON(v any) (string, error) {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", errors.New("no JSON")
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

type missingError struct{ name string }

func (e *missingError) Error() string { return "secret not found" }

// executeError words an error of the execution. What its cause says can have a value in it,
// and so is left out, but for the place and the piece of the template's text that stands there.
func (t *Template) executeError(err error) error {
	var failed *stringtemplate.Error
	if !errors.As(err, &failed) {
		return fmt.Errorf("%w %s: cannot be filled", ErrTemplate, t.path)
	}
	_, at, _ := strings.Cut(failed.Location, ":")
	line, _, _ := strings.Cut(at, ":")
	var missing *missingError
	if errors.As(err, &missing) {
		// The name may have been computed, from a value even. One that stands in the template was not.
		if strings.Contains(t.text, missing.name) {
			return fmt.Errorf("%s: %w: %s", t.at(line), ErrMissing, missing.name)
		}
		return fmt.Errorf("%s: %w (its name is computed)", t.at(line), ErrMissing)
	}
	if strings.Contains(t.text, strings.TrimSuffix(failed.Piece, "...")) {
		return fmt.Errorf("%w %s: cannot be evaluated: %s", ErrTemplate, t.at(line), failed.Piece)
	}
	return fmt.Errorf("%w %s: cannot be evaluated", ErrTemplate, t.at(line))
}

// splitLocation takes an error of parsing apart: "template: NAME:LINE: …".
func splitLocation(text string) (line, rest string) {
	behind, ok := strings.CutPrefix(text, "template: "+templateName+":")
	line, rest, found := strings.Cut(behind, ": ")
	if !ok || !found {
		return "", text
	}
	return line, rest
}

// at names a line in the template.
func (t *Template) at(line string) string {
	if line == "" {
		return t.path
	}
	return filepath.Clean(t.path) + ":" + line
}
