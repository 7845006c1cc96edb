package wrap_test

import (
	"testing"

	"github.com/mazevault/vault-tool/internal/wrap"
)

func TestText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"paragraphs are broken anew": {"one two\nthree four five\n\nsix", "one two three\nfour five\n\nsix"},
		"what is indented stays":     {"text\n  a  b\n  c", "text\n  a  b\n  c"},
		"a wide table line goes on under itself": {
			"  key  what it is for all", "  key  what it\n       is for\n       all",
		},
		"a heading stands alone":   {"All of them:\nthis one", "All of them:\nthis one"},
		"characters, not bytes":    {"äöü äöü äöü ä", "äöü äöü äöü ä"},
		"a word that is too wide":  {"a loooooooooooooong b", "a\nloooooooooooooong\nb"},
		"nothing":                  {"", ""},
		"no newline at the end":    {"one\n\n", "one"},
		"an indented line is kept": {"  x", "  x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := wrap.Text(tt.text, 14); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	if got, want := wrap.Words("vault-tool list [GLOB] [flags]", "  ", "    ", 20), "vault-tool list\n    [GLOB] [flags]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
