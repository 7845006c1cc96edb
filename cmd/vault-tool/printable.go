package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/shellword"
)

// printable makes a message fit for a terminal. Paths and what users typed are part of messages, and may
// hold anything: escape sequences that rewrite the screen, or a line that looks like one of ours. What
// is not printable is written as an escape of Go's. A newline stays where two spaces follow, as in the
// messages that have several lines: no line that begins so can be taken for another message.
func printable(message string) string {
	var out strings.Builder
	for i := 0; i < len(message); {
		r, size := utf8.DecodeRuneInString(message[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, message[i])
		case strconv.IsPrint(r) || r == '\n' && strings.HasPrefix(message[i+1:], "  "):
			out.WriteRune(r)
		default:
			escaped := strconv.QuoteRune(r)
			out.WriteString(escaped[1 : len(escaped)-1])
		}
		i += size
	}
	return out.String()
}

// shellWord writes a path as one word of a POSIX shell, for a command that the user is told to run.
func shellWord(path string) string { return shellword.Path(path) }
