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
	"regexp"
	"strings"
	"text/template"

	"github.com/mazevault/vault-tool/internal/descriptor"
)

// Template is a text/template whose functions give it the secrets:
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
	parsed *template.Template
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
	t.parsed, err = template.New(templateName).Option("missingkey=error").Funcs(functions(nil, nil, nil)).Parse(t.text)
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
	filled, err := t.parsed.Clone()
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrTemplate, t.path, err)
	}
	var out bytes.Buffer
	if err := filled.Funcs(functions(lookup, names, known)).Execute(&out, nil); err != nil {
		clear(out.Bytes())
		if failed != nil {
			return nil, fmt.Errorf("template %s: %w", t.path, failed)
		}
		return nil, t.executeError(err)
	}
	return out.Bytes(), nil
}

func functions(lookup func(string) (string, error), names []string, known map[string]bool) template.FuncMap {
	return template.FuncMap{
		"secret": lookup,
		"has":    func(name string) bool { return known[name] },
		"names":  func() []string { return names },
		"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"json":   toJSON,
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

// executeError words an error of the execution. What text/template says can have a value in it ("range can't iterate over …"),
// and so is left out, but for the place and the piece of the template's text that stands there.
func (t *Template) executeError(err error) error {
	line, rest := splitLocation(err.Error())
	var missing *missingError
	if errors.As(err, &missing) {
		// The name may have been computed, from a value even. One that stands in the template was not.
		if strings.Contains(t.text, missing.name) {
			return fmt.Errorf("%s: %w: %s", t.at(line), ErrMissing, missing.name)
		}
		return fmt.Errorf("%s: %w (its name is computed)", t.at(line), ErrMissing)
	}
	if _, after, ok := strings.Cut(rest, " at <"); ok {
		if piece, _, ok := strings.Cut(after, ">: "); ok && strings.Contains(t.text, strings.TrimSuffix(piece, "...")) {
			return fmt.Errorf("%w %s: cannot be evaluated: %s", ErrTemplate, t.at(line), piece)
		}
	}
	return fmt.Errorf("%w %s: cannot be evaluated", ErrTemplate, t.at(line))
}

// locationPattern is how text/template begins its errors: "template: NAME:LINE: ", in executions with a column, which counts
// from 0 and is left out.
var locationPattern = regexp.MustCompile(`^template: [^:]*:(\d+)(?::\d+)?: `)

// splitLocation takes an error of text/template apart.
func splitLocation(text string) (line, rest string) {
	match := locationPattern.FindStringSubmatchIndex(text)
	if match == nil {
		return "", text
	}
	return text[match[2]:match[3]], text[match[1]:]
}

// at names a line in the template.
func (t *Template) at(line string) string {
	if line == "" {
		return t.path
	}
	return filepath.Clean(t.path) + ":" + line
}
