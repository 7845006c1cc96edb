package main

import (
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	tests := map[string]string{
		"plain, with ünïcödé … and \\ '": "plain, with ünïcödé … and \\ '",
		"\x1b[31mred\x07":                `\x1b[31mred\a`,
		"title\u009b\x7f":                `title\u009b\x7f`,
		"turned \u202eround":             `turned \u202eround`,
		"not\xffUTF-8":                   `not\xffUTF-8`,
		"path\nvault-tool: hint: run x":  `path\nvault-tool: hint: run x`,
		"2 lines:\n  one\n  two":         "2 lines:\n  one\n  two",
		"end\n":                          `end\n`,
		"over\rwritten":                  `over\rwritten`,
	}
	for message, want := range tests {
		if got := printable(message); got != want {
			t.Errorf("%q becomes %q, want %q", message, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\nb\n  c\x1b")
	f.Fuzz(func(t *testing.T, message string) {
		got := printable(message)
		if !utf8.ValidString(got) || printable(got) != got {
			t.Errorf("%q becomes %q, then %q", message, got, printable(got))
		}
	})
}

func TestShellWord(t *testing.T) {
	tests := map[string]string{
		"/etc/vault.key": "/etc/vault.key",
		"my key":         "'my key'",
		"it's":           `'it'\''s'`,
		"-R":             "./-R",
		"~x$(id)":        "'~x$(id)'",
	}
	for path, want := range tests {
		if got := shellWord(path); got != want {
			t.Errorf("%q becomes %s, want %s", path, got, want)
		}
	}
}
