// Package wrap breaks text into lines for a terminal.
package wrap

import "strings"

// Text breaks the paragraphs of a text anew. Lines that begin with blanks, tables and examples, stay unless they are
// too wide; then what follows their first column is broken under itself.
func Text(text string, columns int) string {
	var out []string
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			out = append(out, Words(strings.Join(paragraph, " "), "", "", columns))
			paragraph = nil
		}
	}
	for _, line := range strings.Split(text, "\n") {
		switch {
		case line == "":
			flush()
			out = append(out, "")
		case strings.HasPrefix(line, " ") || strings.HasSuffix(line, ":") && len(paragraph) == 0:
			flush()
			out = append(out, tableLine(line, columns))
		default:
			paragraph = append(paragraph, line)
		}
	}
	flush()
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}

// tableLine breaks a line of a table: the last column goes on under itself.
func tableLine(line string, columns int) string {
	if len([]rune(line)) <= columns {
		return line
	}
	column := strings.LastIndex(line[:len(line)/2+1], "  ") + 2
	indent := strings.Repeat(" ", len([]rune(line[:column])))
	return line[:column] + Words(line[column:], indent, indent, columns)
}

// Words breaks text at blanks, so that no line has more characters than columns unless one word does. The first line begins behind first, the others with indent.
func Words(text, first, indent string, columns int) string {
	var lines []string
	line, width := "", len(first)
	for _, word := range strings.Fields(text) {
		length := len([]rune(word))
		switch {
		case line == "":
			line, width = word, width+length
		case width+1+length <= columns:
			line, width = line+" "+word, width+1+length
		default:
			lines = append(lines, line)
			line, width = indent+word, len(indent)+length
		}
	}
	return strings.Join(append(lines, line), "\n")
}
