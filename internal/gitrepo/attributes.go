package gitrepo

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// AttributesFile is where a working tree has the attributes of its files.
const AttributesFile = ".gitattributes"

// AttributeLine is a line for the attributes of one file (gitattributes(5)), without its end.
func AttributeLine(path, attributes string) string {
	var pattern strings.Builder
	pattern.WriteByte('/') // this file alone, and none of its name elsewhere
	for _, c := range []byte(path) {
		if strings.IndexByte(`\*?[`, c) >= 0 {
			pattern.WriteByte('\\')
		}
		pattern.WriteByte(c)
	}
	return quoted(pattern.String()) + " " + attributes
}

// quoted is a pattern in quotes, as C has them, if it needs any.
func quoted(pattern string) string {
	if !strings.ContainsFunc(pattern, func(c rune) bool { return c <= ' ' || c == '"' || c == 0x7f }) {
		return pattern
	}
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range []byte(pattern) {
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&out, "\\%03o", c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}

// AddLine appends a line to a text that does not have it.
func AddLine(text []byte, line string) (added []byte, changed bool) {
	if lineAt(text, line) >= 0 {
		return text, false
	}
	added = bytes.Clone(text)
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		return append(append(added, '\n'), line...), true // a text that has no newline at its end gets none, so that RemoveLine can give it back
	}
	return append(append(added, line...), '\n'), true
}

// RemoveLine takes away what AddLine has added.
func RemoveLine(text []byte, line string) (left []byte, changed bool) {
	at := lineAt(text, line)
	if at < 0 {
		return text, false
	}
	end := at + len(line)
	switch {
	case end < len(text) && text[end] == '\r': // another program has changed the ends of lines
		end += len("\r\n")
	case end < len(text):
		end++
	case at > 0:
		at--
	}
	end = min(end, len(text))
	return append(bytes.Clone(text[:at]), text[end:]...), true
}

// lineAt is where a line begins, or -1.
func lineAt(text []byte, line string) int {
	at := 0
	for l := range bytes.Lines(text) {
		if string(bytes.TrimRight(l, "\r\n")) == line {
			return at
		}
		at += len(l)
	}
	return -1
}

// Attribute returns what git takes an attribute of a file to be, whichever line says so.
func (r *Repo) Attribute(ctx context.Context, name, path string) (string, error) {
	out, err := r.run(ctx, "check-attr", "-z", name, "--", path)
	if err != nil {
		return "", err
	}
	fields := strings.Split(out, "\x00")
	const value = 2 // path, name, value
	if len(fields) <= value {
		return "", nil
	}
	return fields[value], nil
}
