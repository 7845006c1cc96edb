package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// readTyped gives readLine what a terminal in raw mode would send.
func readTyped(t *testing.T, typed string) (string, error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.WriteString(w, typed)
		_ = w.Close()
	}()
	line, err := readLine(context.Background(), newKeyReader(r), io.Discard)
	if err != nil {
		return "", err
	}
	defer line.Destroy()
	return string(line.Bytes()), nil
}

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", 10_000) // beyond what a terminal's own line editing takes
	for typed, want := range map[string]string{
		"secret\r":             "secret",
		"secret\n":             "secret",
		"secret\r\n":           "secret",
		"secret\x04":           "secret",
		"secret":               "secret", // the terminal is gone
		"\r":                   "",
		"secrex\x7ft\r":        "secret",
		"secrex\x08t\r":        "secret",
		"pä\x7f\x7fq\r":        "q",
		"\x7f\x7fa\r":          "a",
		"wrong\x15right\r":     "right",
		long + "\r":            long,
		"tab\tand \"quote\"\r": "tab\tand \"quote\"",
	} {
		got, err := readTyped(t, typed)
		if err != nil || got != want {
			t.Errorf("typed %.20q: got %.20q, %v", typed, got, err)
		}
	}
}

func TestReadLineRefuses(t *testing.T) {
	for typed, want := range map[string]error{
		"abc\x03":            ErrInterrupted,
		"line one\rline two": ErrSeveralLines,
		"one\rtwo\rthree\r":  ErrSeveralLines,
		"one\n\ntwo\n":       ErrSeveralLines,
		"arrow\x1b[A\r":      ErrControlCharacter,
		"nul\x00\r":          ErrControlCharacter,
		"escape\x1b\x04":     ErrControlCharacter,
	} {
		if _, err := readTyped(t, typed); !errors.Is(err, want) {
			t.Errorf("typed %q: %v, want %v", typed, err, want)
		}
	}
}

func TestReadLineIsCancelled(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := readLine(ctx, newKeyReader(r), io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// TestReadLineShows what is typed, where that is wanted, and takes back what is rubbed out.
func TestReadLineShows(t *testing.T) {
	for typed, want := range map[string]string{
		"ab\r":         "ab",
		"a\x7f\x7fb\r": "a\b \bb",
		"ä\x7fx\r":     "ä\b \bx",
		"äb\x15c\r":    "äb\b \b\b \bc",
		"a\x1b[A\r":    "a[A",
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, typed)
		_ = w.Close()
		var shown bytes.Buffer
		if line, err := readLine(context.Background(), newKeyReader(r), &shown); err == nil {
			line.Destroy()
		}
		if shown.String() != want {
			t.Errorf("%q is shown as %q, want %q", typed, shown.String(), want)
		}
	}
}
